//! What the programs that take messages from the broker share: the servers they need, watched over, from the first
//! look to the last goodbye. What they do with a message is their own.

mod servers;
mod settings;

pub use servers::{Needs, Servers, ServersError};
pub use settings::{has_a_sound_url, has_a_url};
