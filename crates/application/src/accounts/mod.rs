//! Signing in and out, and who may.

mod first_admin;
mod login;
mod refresh;
mod register;
mod token;

pub use first_admin::{FirstAdmin, ensure_first_admin};
pub use login::{Login, SignedIn, login};
pub use refresh::{log_out, refresh};
pub use register::{Register, check_password, register, who_is};
pub use token::{RefreshToken, Secret};
