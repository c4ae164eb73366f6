//! One connection to the broker, with the topology declared.
//!
//! lapin's own recovery stays off: a connection that fails is dropped, and whoever owns it opens another one.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, Event, uri::AMQPUri};
use secrecy::ExposeSecret;
use tokio::time::{interval, timeout};

use crate::{settings::BrokerSettings, socket::Socket, topology::Topology};

/// How long a goodbye may take, with what is left of the opening where nobody waits for that any more. Nothing depends on it.
#[cfg(not(test))]
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Tests are run by machines that may stand still for a while.
#[cfg(test)]
const CLOSE_TIMEOUT: Duration = Duration::from_mins(1);

/// How often a connection is asked whether it still stands, besides listening for its last words.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How often to look whether a goodbye that was answered has taken effect. It is a matter of microseconds.
const CHECK_CLOSED_EVERY: Duration = Duration::from_millis(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The settings were not validated.
    #[error("broker.url is not an AMQP address")]
    Address,
    /// Nobody answered in time.
    #[error("no answer from the broker within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The broker said no, or could not be reached.
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    /// What exists at the broker differs from what the settings ask for.
    #[error(
        "the broker refuses the topology; a queue may exist with other arguments than the settings give it: {0}"
    )]
    Topology(#[source] lapin::Error),
}

/// A connection that stands, or stood.
pub(crate) struct Link {
    connection: Connection,
    /// Dropped after the connection had its chance to say goodbye.
    _socket: Socket,
}

impl Link {
    /// Connects, and declares nothing. `name` is how the connection is called in the broker's lists. Takes as long as
    /// whoever waits lets it.
    pub(crate) async fn connect(settings: &BrokerSettings, name: &str) -> Result<Self, LinkError> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let (socket, connection) = Socket::connect(address(settings)?, properties).await?;
        Ok(Self { connection, _socket: socket })
    }

    /// A channel of its own.
    pub(crate) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// Connects, declares the topology and lets `prepare` set up a fresh channel, all within the time the
    /// settings give.
    pub(crate) async fn open<T>(
        settings: &BrokerSettings,
        topology: &Topology,
        name: &str,
        prepare: impl AsyncFnOnce(Channel) -> lapin::Result<T>,
    ) -> Result<(Self, T), LinkError> {
        let limit = settings.connect_timeout();
        let opening = async {
            let link = Self::connect(settings, name).await?;
            let channel = link.channel().await?;
            topology.declare(&channel).await.map_err(LinkError::Topology)?;
            let prepared = prepare(channel).await?;
            Ok((link, prepared))
        };
        timeout(limit, opening).await.unwrap_or(Err(LinkError::Timeout(limit)))
    }

    /// Returns the reason once the connection is gone. Meanwhile says when the broker blocks publishers.
    pub(crate) async fn lost(&self) -> String {
        let mut events = self.connection.events_listener();
        let mut check = interval(CHECK_EVERY);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::Error(error)) => return error.to_string(),
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(reason, "the broker accepts no messages");
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!("the broker accepts messages again");
                    }
                    Some(_) => {}
                    None => return "the connection has ended".to_owned(),
                },
                _ = check.tick() => {
                    if !self.connection.status().connected() {
                        return "the connection has ended".to_owned();
                    }
                }
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(self) {
        let goodbye = async {
            self.connection.close(200, "bye".into()).await?;
            self.forgotten().await;
            Ok::<_, lapin::Error>(())
        };
        match timeout(CLOSE_TIMEOUT, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the connection was gone before it was closed"),
            Err(_) => tracing::debug!("the broker does not answer the goodbye"),
        }
    }

    /// Waits until lapin (4.12.3) takes the connection for closed, which it does in a task of its own after it has told
    /// us of the broker's answer. It calls a socket that is shut down before then a connection that was aborted, and logs
    /// an error. The broker leaves that to us: it waits for us to close the socket.
    async fn forgotten(&self) {
        let mut check = interval(CHECK_CLOSED_EVERY);
        while self.connection.status().closing() {
            check.tick().await;
        }
    }
}

/// For whoever does not want any more what it is opening. A handshake that is cut off is an error to lapin, and to the
/// broker: what takes no time is brought to its end, and says goodbye with `close`.
pub(crate) async fn abandon<T>(
    opening: impl Future<Output = Result<T, LinkError>>,
    close: impl AsyncFnOnce(T),
) {
    let leaving = async {
        if let Ok(opened) = opening.await {
            close(opened).await;
        }
    };
    if timeout(CLOSE_TIMEOUT, leaving).await.is_err() {
        tracing::debug!("a connection that nobody wants any more is cut off while it is opened or closed");
    }
}

fn address(settings: &BrokerSettings) -> Result<AMQPUri, LinkError> {
    let mut uri: AMQPUri = settings.url.expose_secret().parse().map_err(|_| LinkError::Address)?;
    uri.query.heartbeat.get_or_insert(settings.heartbeat_s);
    Ok(uri)
}
