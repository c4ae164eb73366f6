//! The server: bound first, so that its address is known, then run until it is told to stop.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App,
    dev::AppConfig,
    middleware::{Condition, from_fn},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;

use crate::{
    HttpDeps, HttpSettings,
    edge::{cors, edge},
    mount::mount,
    state::State,
    wire::{WireStream, WireTimes},
};

/// How long a connection may take to close after its last answer.
const CLOSING: Duration = Duration::from_secs(1);
/// How often callers are forgotten who have all of their quota again.
const UPKEEP: Duration = Duration::from_secs(5);

/// A server that is bound to its address. Connections wait until it runs.
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<State>,
}

impl HttpServer {
    /// Checks the keys and binds the address. An error says what is wrong with either.
    pub fn bind(deps: HttpDeps, settings: &HttpSettings) -> io::Result<Self> {
        let state = State::new(deps, settings).map_err(io::Error::other)?;
        let wanted = SocketAddr::new(settings.bind, settings.port);
        let listener = listen(wanted, settings.backlog)?;
        let address = listener.local_addr()?;
        Ok(Self { address, listener, state: Arc::new(state) })
    }

    /// Where it listens: with port 0 in the settings, the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves; then takes no more connections, ends each with its next answer, and finishes
    /// the requests under way, for as long as the settings allow. Needs a tokio runtime.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let server = build(self.listener, &self.state)?;
        let handle = server.handle();
        let mut running = std::pin::pin!(server);
        let mut shutdown = std::pin::pin!(shutdown);
        let mut upkeep_due = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                ended = &mut running => return ended,
                () = &mut shutdown => break,
                _ = upkeep_due.tick() => self.state.limits.forget(),
            }
        }
        self.state.leaving.store(true, Ordering::Relaxed);
        self.state.waiters.bell().close();
        let (ended, ()) = tokio::join!(running, handle.stop(true));
        ended
    }
}

fn listen(address: SocketAddr, backlog: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the connections of the process before it to be forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// actix-web's own server has no place for [`WireStream`], so its parts are put together here.
fn build(listener: TcpListener, state: &Arc<State>) -> io::Result<Server> {
    let settings = &state.settings;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let in_flight = state.gate.threads();
    let builder = Server::build()
        .workers(workers)
        .worker_max_blocking_threads(in_flight)
        .max_concurrent_connections(settings.max_connections_per_worker)
        .backlog(settings.backlog.into())
        .shutdown_timeout(settings.leave_ms.div_ceil(1_000) + settings.shutdown_timeout_s)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let state = Arc::clone(state);
    let builder = builder.listen("http", listener, move || {
        let (state, stopping) = (Arc::clone(&state), stopping.clone());
        let settings = &state.settings;
        let keep_alive = Duration::from_secs(settings.keep_alive_s);
        let leave = Duration::from_millis(settings.leave_ms);
        let times = WireTimes {
            head: settings.header_timeout(),
            write: Duration::from_millis(settings.write_timeout_ms),
            close: CLOSING,
            idle: keep_alive + settings.header_timeout(),
            now: state.now,
            new_id: state.ports.new_id,
        };
        let app = {
            let (for_edge, for_routes) = (Arc::clone(&state), Arc::clone(&state));
            let has_origins = !settings.cors.allowed_origins.is_empty();
            App::new()
                .configure(move |config| mount(config, &for_routes))
                .wrap(Condition::new(has_origins, cors(&settings.cors)))
                .wrap(from_fn(move |request, next| edge(Arc::clone(&for_edge), request, next)))
        };
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move {
                    stopping.notified().await;
                    // Now actix closes idle connections, also those over which a request has come that it has not read.
                    tokio::time::sleep(leave).await;
                }
            })
            .keep_alive(keep_alive)
            // Heads are timed by the stream, all of them.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(CLOSING)
            .on_connect_ext(|stream: &WireStream, data| {
                data.insert(stream.connection());
            })
            .finish(map_config(
                app.into_factory().map_err(|error: actix_web::Error| error.error_response()),
                |()| AppConfig::default(),
            ));
        fn_service(move |socket: TcpStream| async move {
            // Answers are small: waiting to fill a packet only delays them.
            socket.set_nodelay(true)?;
            let peer = socket.peer_addr().ok();
            Ok((WireStream::new(socket, times), actix_http::Protocol::Http1, peer))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
