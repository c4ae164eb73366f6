//! A broker that only begins a handshake, for tests that choose their moment in it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::settings::{BrokerSettings, tests::settings};

/// Connection.Start of AMQP 0-9-1: no properties, PLAIN, `en_US`.
const GREETING: &[u8] = b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce";
/// Connection.Start-Ok, behind the length of its frame.
const ANSWER: [u8; 4] = [0, 10, 0, 11];

/// For a handshake, on a machine that may stand still for a while.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct BrokerDouble(TcpListener);

impl BrokerDouble {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// How it is reached.
    pub(crate) fn settings(&self) -> BrokerSettings {
        let url = format!("amqp://{}", self.0.local_addr().unwrap()).into();
        BrokerSettings { url, connect_timeout_ms: 60_000, ..settings() }
    }

    /// Greets whoever connects after `event`, and has to be answered nevertheless; then breaks off. Whoever connects has to
    /// share the one thread of the test.
    pub(crate) async fn answered_although(self, event: impl FnOnce()) {
        timeout(LIMIT, self.greet_after(event)).await.unwrap();
    }

    async fn greet_after(self, event: impl FnOnce()) {
        let (mut peer, _) = self.0.accept().await.unwrap();
        peer.read_exact(&mut [0; 8]).await.unwrap();
        event();
        // Everybody on this thread has seen it now.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        peer.write_all(GREETING).await.unwrap();
        let mut frame = [0; 11];
        peer.read_exact(&mut frame).await.unwrap();
        assert!(frame.ends_with(&ANSWER), "{frame:?}");
    }
}
