//! Free ports for private servers.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

use crate::error::{Error, Result};

/// Below the ranges from which Linux (32768–60999) and macOS (49152–65535) take the near ends of outgoing connections: a
/// port out of those can be taken by anybody in the moment in which a killed server is down.
const FIRST: u64 = 20_000;
const COUNT: u64 = 12_000;

/// A port of loopback on which nobody listens now.
pub(crate) fn free() -> Result<u16> {
    let random = RandomState::new();
    (0..200_u64)
        .map(|attempt| FIRST + random.hash_one(attempt) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| is_free(*port))
        .ok_or_else(|| Error::Refused("no free port between 20000 and 32000".into()))
}

/// Whether a server could listen on this port of loopback.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
