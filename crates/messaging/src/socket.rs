//! The socket below a connection, which stays ours.
//!
//! lapin (4.12.3) moves a connection that is being opened into a thread of its own. Whoever gives up waiting
//! for it leaves thread and socket behind, for as long as the peer keeps the socket open and says nothing. So
//! the socket is opened here, encrypted here when need be, and shut down here: that ends the thread, too.

use std::{
    io,
    net::{Shutdown, TcpStream as Raw},
    sync::{Mutex, PoisonError},
};

use async_compat::Compat;
use lapin::{
    Connection, ConnectionProperties,
    tcp::{AsyncTcpStream, OwnedTLSConfig},
    uri::{AMQPScheme, AMQPUri},
};
use tokio::net::TcpStream;

/// Shuts the socket down when dropped, whoever else holds it.
#[derive(Debug)]
pub(crate) struct Socket(Raw);

impl Socket {
    /// Opens a socket and a connection over it. May be dropped at any moment and leaves nothing behind.
    pub(crate) async fn connect(
        uri: AMQPUri,
        properties: ConnectionProperties,
    ) -> lapin::Result<(Self, Connection)> {
        let runtime = lapin::runtime::default_runtime()?;
        let (socket, stream) = open(&uri).await?;
        // lapin would ask again when the handshake is cut off.
        let stream = Mutex::new(Some(stream));
        let once = async move |_, _| {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted).into())
        };
        let connection = Connection::connector(uri, runtime, once, properties).await?;
        Ok((socket, connection))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown(Shutdown::Both) {
            tracing::trace!(%error, "the socket was closed already");
        }
    }
}

async fn open(uri: &AMQPUri) -> io::Result<(Socket, AsyncTcpStream<Compat<TcpStream>>)> {
    let host = uri.authority.host.as_str();
    let stream = TcpStream::connect((host, uri.authority.port)).await?;
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let socket = Socket(stream.try_clone()?);
    let plain = AsyncTcpStream::Plain(Compat::new(TcpStream::from_std(stream)?));
    let stream = match uri.scheme {
        AMQPScheme::AMQP => plain,
        AMQPScheme::AMQPS => plain.into_tls(host, OwnedTLSConfig::default().as_ref()).await?,
    };
    Ok((socket, stream))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, io::Read, net::TcpListener, thread, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    /// For what has to happen. Generous: a slow machine must not fail a test.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// How many threads of lapin this process has. (They inherit no name from us.)
    fn io_loops() -> usize {
        let names = fs::read_dir("/proc/self/task").unwrap().map(|task| {
            // A thread may end between listing and reading.
            fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()
        });
        names.filter(|name| name.starts_with("lapin-io-loop")).count()
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_costs_no_thread_and_no_socket() {
        const ATTEMPTS: usize = 20;
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let (greeted, mut greetings) = mpsc::unbounded_channel();
        let accepting = thread::spawn(move || {
            let hear = |_| {
                let mut peer = silent.accept().unwrap().0;
                peer.set_read_timeout(Some(PATIENCE)).unwrap();
                peer.read_exact(&mut [0; 8]).unwrap();
                greeted.send(()).unwrap();
                peer
            };
            let mut peers: Vec<Raw> = (0..ATTEMPTS).map(hear).collect();
            // After its header each ends, which only a shutdown makes it do.
            for peer in &mut peers {
                assert_eq!(io::copy(peer, &mut io::sink()).unwrap(), 0);
            }
            peers
        });
        for _ in 0..ATTEMPTS {
            let uri: AMQPUri = format!("amqp://127.0.0.1:{port}/%2f").parse().unwrap();
            let connecting = Socket::connect(uri, ConnectionProperties::default());
            // Whoever has sent a header has a thread that waits for what the peer says to it.
            let waits = tokio::select! {
                _ended = connecting => false,
                greeting = timeout(PATIENCE, greetings.recv()) => greeting.unwrap().is_some(),
            };
            assert!(waits);
        }
        let _open = accepting.join().unwrap();
        for _ in 0..300 {
            if io_loops() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(io_loops(), 0, "threads left behind");
    }
}
