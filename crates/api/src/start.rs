//! Starting, in order: what comes later may rely on what came before.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    Ports,
    ports::{Passwords, Readiness},
};
use techsupport_bootstrap::{clock, recorder, telemetry};
use techsupport_http::{BrokerHealth, EventBell, HttpDeps, HttpServer, Revocations};
use techsupport_messaging::{Inspector, Publisher};
use techsupport_persistence::Database;
use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

use crate::{
    ApiSettings, BcryptPasswords, RunningApi, StartError,
    background::{EndedSessions, Pass, describe_metrics},
    database::{NAME, ports_of},
    first_admin, passes, refuse_weak_secrets,
    running::{Parts, Stoppable},
    settings::ms,
};

/// The whole program.
pub struct Api;

impl Api {
    /// Starts everything and returns once requests are accepted. Blocks; must not be called from async code.
    ///
    /// The database has to be there, and current. The broker need not be: requests are answered without it,
    /// and events wait in the outbox.
    pub fn start(settings: &ApiSettings) -> Result<RunningApi, StartError> {
        Self::prepare(settings.clone())?.start()
    }

    /// All that waits for the database. Nobody has been let in, so it can be left at any moment.
    pub(crate) fn prepare(settings: ApiSettings) -> Result<Prepared, StartError> {
        telemetry::init(NAME, &settings.log)?;
        recorder::install().map_err(StartError::system("metrics cannot be recorded"))?;
        techsupport_http::describe_metrics();
        techsupport_messaging::describe_metrics();
        techsupport_persistence::describe_metrics();
        describe_metrics();
        refuse_weak_secrets(&settings)?;
        let passwords = BcryptPasswords::new(&settings.passwords.pepper, settings.passwords.bcrypt_cost)?;

        let database = Database::connect(&settings.database, NAME);
        match database.wait_until_ready(ms(settings.process.database_wait_ms)) {
            Ok(Readiness::Ready) => {}
            Ok(Readiness::SchemaBehind) => return Err(StartError::SchemaBehind),
            Err(error) => return Err(StartError::Database(error)),
        }
        let passwords: Arc<dyn Passwords> = Arc::new(passwords);
        let ports = ports_of(&database, &passwords);
        first_admin::ensure(&ports, &settings).map_err(StartError::FirstAdmin)?;
        let revocations = Arc::new(Revocations::new(&settings.auth, &settings.http));
        let mut ended = passes::ended_sessions(&settings, &revocations);
        // Nobody is let in before it is known who may not be.
        ended.run().map_err(StartError::Database)?;
        Ok(Prepared { settings, passwords, ports, revocations, ended })
    }
}

/// A program that has found its database as it needs it.
pub(crate) struct Prepared {
    settings: ApiSettings,
    passwords: Arc<dyn Passwords>,
    ports: Arc<Ports>,
    revocations: Arc<Revocations>,
    ended: EndedSessions,
}

impl Prepared {
    /// Lets requests in. Waits for nobody: what it starts takes a signal for the sign to stop in order, and so does what
    /// fails here.
    pub(crate) fn start(self) -> Result<RunningApi, StartError> {
        let Self { settings, passwords, ports, revocations, ended } = self;
        let runtime = Runtime::new().map_err(StartError::system("no threads for the server"))?;
        let threads = runtime.handle().clone();
        let publishing = CancellationToken::new();
        let publisher = {
            let _inside = threads.enter();
            Publisher::start(&settings.broker, NAME, publishing.clone())
        };
        let stoppable = Stoppable {
            serving: CancellationToken::new(),
            server: None,
            server_wait: ms(settings.http.leave_ms) + Duration::from_secs(settings.http.shutdown_timeout_s),
            listener: None,
            ended_sessions: None,
            sweep: None,
            relay: None,
            forget: None,
            feed: None,
            sums: None,
            replay: None,
            collecting: None,
            stop_wait: ms(settings.process.stop_wait_ms),
            publisher: publisher.clone(),
            publishing,
        };
        // From here on what was started is stopped again when something fails.
        let mut parts = Parts::new(runtime, stoppable);
        let stoppable = &mut parts.stoppable;
        let events = EventBell::default();
        let told = (revocations, events.clone());
        let address = serve(&settings, &ports, told, &publisher, &threads, stoppable)?;
        stoppable.collecting = passes::collect(&settings, &publisher, &threads);
        tracing::info!(%address, profile = settings.profile.name(), "listening");
        passes::start(&settings, ended, events, &passwords, &publisher, stoppable)?;
        Ok(RunningApi::new(address, parts))
    }
}

fn serve(
    settings: &ApiSettings,
    ports: &Arc<Ports>,
    (revocations, events): (Arc<Revocations>, EventBell),
    publisher: &Publisher,
    threads: &Handle,
    stoppable: &mut Stoppable,
) -> Result<std::net::SocketAddr, StartError> {
    let _inside = threads.enter();
    let deps = HttpDeps {
        ports: Arc::clone(ports),
        auth: settings.auth.clone(),
        idempotency_lifetime: Duration::from_secs(settings.idempotency.lifetime_s),
        revocations,
        events,
        broker: Arc::new(Connection(publisher.clone())),
        queues: Arc::new(Inspector::new(&settings.broker, NAME)),
        replay_all_max: settings.dead_letters.replay_all_max,
        metrics: recorder::text,
        now: clock::now,
        pool_size: usize::try_from(settings.database.pool_size).unwrap_or(usize::MAX),
    };
    let wanted = format!("cannot listen on {}, port {}", settings.http.bind, settings.http.port);
    let server = HttpServer::bind(deps, &settings.http).map_err(StartError::system(wanted))?;
    let address = server.address();
    stoppable.server = Some(threads.spawn(server.run(stoppable.serving.clone().cancelled_owned())));
    Ok(address)
}

/// What `/health/ready` asks.
struct Connection(Publisher);

impl BrokerHealth for Connection {
    fn is_up(&self) -> bool {
        self.0.is_connected()
    }
}
