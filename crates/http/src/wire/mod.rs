//! The socket, seen from below actix.
//!
//! actix-http answers on its own, with an empty body and before any middleware runs, when the head of a
//! request is malformed (400) or too large (431), and it times only the first head of a connection. The
//! stream here stands between it and the socket: it replaces those answers by problem documents, and times
//! every head.

mod framing;
mod refusal;
mod request_line;
mod stream;

pub(crate) use framing::MARK;
pub(crate) use stream::{WireStream, WireTimes};
