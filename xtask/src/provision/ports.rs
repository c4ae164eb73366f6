//! Free ports for private servers.

use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// Below the ranges from which Linux (32768–60999) and macOS (49152–65535) take the near ends of outgoing connections: a
/// port out of those can be taken by anybody in the moment in which a killed server is down.
const FIRST: u64 = 20_000;
const COUNT: u64 = 12_000;

/// What this process has given out. Nobody listens there before the server has started, or while it is killed: the look at the
/// port alone would let another thread have it then.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port of loopback on which nobody listens now, and which nobody else of this process was given.
pub(crate) fn free() -> Result<u16> {
    let random = RandomState::new();
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    (0..200_u64)
        .map(|attempt| FIRST + random.hash_one(attempt) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| is_free(*port) && given.insert(*port))
        .ok_or_else(|| Error::Refused("no free port between 20000 and 32000".into()))
}

/// Takes a port that was given out by another process before.
pub(crate) fn keep(port: u16) {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
}

/// Whether a server could listen on this port of loopback.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        // So many that some would come twice by chance.
        let ports: Vec<u16> = (0..500).map(|_| free().unwrap()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }
}
