//! The stream between actix-http and the socket.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::{Instant, Sleep},
};
use uuid::Uuid;

use super::{
    framing::{Framing, Step},
    refusal::refusal,
    request_line::FirstLine,
};
use crate::connection::Connection;

/// How long a refused caller may take to read why, and how much of what it still sends is thrown away.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 1 << 20);

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireTimes {
    /// For a head, from its first byte on.
    pub(crate) head: Duration,
    /// For the first byte of the next head.
    pub(crate) idle: Duration,
    /// For the caller to take some of an answer.
    pub(crate) write: Duration,
    /// For what is left of a body after the last answer.
    pub(crate) close: Duration,
    pub(crate) now: fn() -> OffsetDateTime,
    pub(crate) new_id: fn() -> Uuid,
}

/// One connection's socket.
pub(crate) struct WireStream {
    /// Taken by [`Drop`] alone.
    io: Option<TcpStream>,
    connection: Connection,
    times: WireTimes,
    framing: Framing,
    /// Our own words, to be written before anything else.
    said: Vec<u8>,
    refused: bool,
    /// The beginning of what has arrived since the last request reached the application.
    line: FirstLine,
    arrivals: u64,
    head_since: Option<Instant>,
    idle_since: Option<Instant>,
    closing_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    /// Runs while the caller takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl WireStream {
    pub(crate) fn new(io: TcpStream, times: WireTimes) -> Self {
        let now = Instant::now();
        Self {
            io: Some(io),
            connection: Connection::default(),
            times,
            framing: Framing::new(),
            said: Vec::new(),
            refused: false,
            line: FirstLine::default(),
            arrivals: 0,
            head_since: None,
            idle_since: Some(now),
            closing_since: None,
            timer: Box::pin(tokio::time::sleep_until(now + times.head)),
            stalled: None,
        }
    }

    pub(crate) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    fn socket(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn refuse(&mut self, status: u16) {
        self.refused = true;
        // The rest of a body that nobody read: its request was answered already.
        if !self.connection.has_open_body() {
            let status = if status >= 400 && status != 408 && self.line.is_too_long() { 414 } else { status };
            let line = self.line.read();
            let took = self.head_since.map_or(Duration::ZERO, |since| since.elapsed());
            self.said = refusal(status, &line, took, (self.times.new_id)(), (self.times.now)());
        }
    }

    /// What is overdue will not be waited for. Silence after an answer is no error, only the end.
    fn give_up(&mut self) {
        let owed = self.head_since.is_some() || self.arrivals == 0;
        if owed && !self.connection.is_closing() {
            self.refuse(408);
        }
        self.refused = true;
    }

    fn received(&mut self, bytes: &[u8]) {
        self.follow_requests();
        if self.connection.is_idle() {
            self.head_since.get_or_insert_with(Instant::now);
            self.line.hear(bytes);
        }
    }

    /// What arrived before belongs to a request that has reached the application.
    fn follow_requests(&mut self) {
        if self.arrivals != self.connection.arrivals() || !self.connection.is_idle() {
            self.arrivals = self.connection.arrivals();
            self.line = FirstLine::default();
            self.head_since = None;
            self.idle_since = None;
        }
    }

    /// Whether the head that is due has not arrived in time. Wakes the task when that becomes true.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.follow_requests();
        if !self.connection.is_idle() {
            return Poll::Pending;
        }
        let deadline = if self.connection.is_closing() {
            *self.closing_since.get_or_insert_with(Instant::now) + self.times.close
        } else if let Some(since) = self.head_since {
            since + self.times.head
        } else {
            let since = *self.idle_since.get_or_insert_with(Instant::now);
            since + if self.arrivals == 0 { self.times.head } else { self.times.idle }
        };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx)
    }

    /// Writes to the socket, and gives up on a caller who takes nothing.
    fn poll_put(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = self.socket()?.poll_write(cx, bytes) {
            self.stalled = None;
            return Poll::Ready(written);
        }
        let patience = self.times.write;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_say(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.said.is_empty() {
            let said = std::mem::take(&mut self.said);
            let written = self.poll_put(cx, &said);
            self.said = said;
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => drop(self.said.drain(..count)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for WireStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused {
            return Poll::Ready(Ok(()));
        }
        // After the last answer nothing that still arrives gains time.
        if this.connection.is_closing() && this.poll_overdue(cx).is_ready() {
            this.give_up();
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match this.socket()?.poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let fresh = buf.filled().get(before..).unwrap_or_default();
                if fresh.is_empty() {
                    this.connection.caller_closed();
                } else {
                    this.received(fresh);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                ready!(this.poll_overdue(cx));
                this.give_up();
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_say(cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let connection = this.connection.clone();
        match this.framing.look(bytes, || connection.next_is_to_head()) {
            Step::Pass(most) => {
                let written = ready!(this.poll_put(cx, bytes.get(..most).unwrap_or(bytes)))?;
                this.framing.wrote(written);
                Poll::Ready(Ok(written))
            }
            Step::Replace { length, status } => {
                this.follow_requests();
                this.refuse(status);
                // What cannot be written at once is, by the next write, flush or shutdown.
                match this.poll_say(cx) {
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(length)),
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_say(cx))?;
        ready!(this.socket()?.poll_flush(cx))?;
        // actix looks for further bytes before it answers and not again: without this nobody would be woken
        // when a body that was not read to its end stops arriving.
        if !this.refused && this.poll_overdue(cx).is_ready() {
            this.give_up();
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_say(cx))?;
        this.socket()?.poll_shutdown(cx)
    }
}

/// A socket that is closed while bytes of the caller lie unread in it is reset, and the caller may never see
/// why it was refused. So the refusal is given some time to arrive.
impl Drop for WireStream {
    fn drop(&mut self) {
        let (Some(io), true, Ok(runtime)) = (self.io.take(), self.refused, Handle::try_current()) else {
            return;
        };
        let said = std::mem::take(&mut self.said);
        drop(runtime.spawn(async move { tokio::time::timeout(LINGER.0, linger(io, said)).await }));
    }
}

async fn linger(mut io: TcpStream, said: Vec<u8>) -> io::Result<()> {
    io.write_all(&said).await?;
    io.shutdown().await?;
    let (mut scratch, mut seen) = ([0_u8; 4_096], 0);
    while seen < LINGER.1 {
        match io.read(&mut scratch).await? {
            0 => break,
            count => seen += count,
        }
    }
    Ok(())
}
