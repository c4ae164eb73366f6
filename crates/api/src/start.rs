//! Starting, in order: what comes later may rely on what came before.

use std::{io, sync::Arc, time::Duration};

use techsupport_application::{
    AppError, Ports,
    ports::{EventPublisher, Passwords, Readiness},
};
use techsupport_bootstrap::{
    clock, ids, recorder,
    secrets::WeakSecret,
    telemetry::{self, TelemetryError},
};
use techsupport_http::{BrokerHealth, EventBell, HttpDeps, HttpServer, Revocations};
use techsupport_messaging::{Inspector, Publisher};
use techsupport_persistence::{Database, DatabaseSettings, Topic, listen};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    ApiSettings, BcryptPasswords, CredentialsError, RunningApi,
    background::{
        Background, Bell, EndedSessions, Feed, Forget, Pass, Relay, Replay, Sums, Sweep, describe_metrics,
    },
    collecting::Collecting,
    first_admin, refuse_weak_secrets,
    running::Stoppable,
    settings::ms,
};

/// What the database, the broker and the log see as the name of this program.
pub(crate) const NAME: &str = "techsupport-api";
/// What the database sees as the name of the background passes.
const BACKGROUND: &str = "techsupport-api-background";

/// What the database sees as the name of those who keep dead letters.
const DEAD_LETTERS: &str = "techsupport-api-dead-letters";

/// What the database sees as the name of the one that puts them back.
const REPLAY: &str = "techsupport-api-replay";

/// What the database sees as the name of those who learn of ended sessions.
const SESSIONS: &str = "techsupport-api-sessions";

/// The same of the connection that keeps the sums of imported tickets.
const SUMS: &str = "techsupport-api-sums";

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can be logged.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Production needs better secrets.
    #[error("{0}; the production profile does not start with it")]
    WeakSecret(#[from] WeakSecret),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(AppError),
    /// Migrations are missing.
    #[error("the schema of the database is behind this program: run `techsupport-api migrate up`")]
    SchemaBehind,
    /// The first administrator could not be created.
    #[error("the first administrator could not be created: {0}")]
    FirstAdmin(AppError),
    /// The operating system refuses something: a thread, an address, a signal handler.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: String,
        /// What it said.
        source: io::Error,
    },
}

impl StartError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::System { what, source }
    }
}

/// The whole program.
pub struct Api;

impl Api {
    /// Starts everything and returns once requests are accepted. Blocks; must not be called from async code.
    ///
    /// The database has to be there, and current. The broker need not be: requests are answered without it,
    /// and events wait in the outbox.
    pub fn start(settings: ApiSettings) -> Result<RunningApi, StartError> {
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

        let runtime = Runtime::new().map_err(StartError::system("no threads for the server"))?;
        let publishing = CancellationToken::new();
        let publisher = {
            let _inside = runtime.enter();
            Publisher::start(&settings.broker, NAME, publishing.clone())
        };
        let mut stoppable = Stoppable {
            serving: CancellationToken::new(),
            server: None,
            server_wait: Duration::from_secs(settings.http.shutdown_timeout_s),
            bell: None,
            session_bell: None,
            event_bell: None,
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
        let revocations = Arc::new(Revocations::new(&settings.auth, &settings.http));
        let mut ended = ended_sessions(&settings, &revocations);
        // Nobody is let in before it is known who may not be.
        ended.run().map_err(StartError::Database)?;
        let events = EventBell::default();
        let address =
            serve(&settings, &ports, (revocations, events.clone()), &publisher, &runtime, &mut stoppable)?;
        stoppable.collecting = collect(&settings, &publisher, &runtime);
        tracing::info!(%address, profile = settings.profile.name(), "listening");
        // From here on what was started is stopped again when something fails.
        let mut running = RunningApi::new(address, runtime, stoppable);
        watch_sessions(&settings, ended, running.stoppable())?;
        watch_events(&settings, events, running.stoppable())?;
        put_back(&settings, &publisher, running.stoppable())?;
        sum_up(&settings, running.stoppable())?;
        watch(settings, &passwords, publisher, running.stoppable())?;
        Ok(running)
    }
}

fn serve(
    settings: &ApiSettings,
    ports: &Arc<Ports>,
    (revocations, events): (Arc<Revocations>, EventBell),
    publisher: &Publisher,
    runtime: &Runtime,
    stoppable: &mut Stoppable,
) -> Result<std::net::SocketAddr, StartError> {
    let _inside = runtime.enter();
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
    stoppable.server = Some(runtime.spawn(server.run(stoppable.serving.clone().cancelled_owned())));
    Ok(address)
}

fn ports_of(database: &Database, passwords: &Arc<dyn Passwords>) -> Arc<Ports> {
    Arc::new(Ports {
        work: database.unit_of_work(),
        reader: database.reader(),
        reports: database.reports(),
        passwords: Arc::clone(passwords),
        new_id: ids::new_id,
        random: ids::random,
    })
}

/// The look for logins that have ended, on a connection of its own.
fn ended_sessions(settings: &ApiSettings, revocations: &Arc<Revocations>) -> EndedSessions {
    let database =
        Database::connect(&DatabaseSettings { pool_size: 1, ..settings.database.clone() }, SESSIONS);
    EndedSessions::new(database.reader(), Arc::clone(revocations), settings.auth.revocations)
}

fn watch_sessions(
    settings: &ApiSettings,
    pass: EndedSessions,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    let no_thread = || StartError::system("no thread that learns of ended sessions");
    let bell = Arc::new(Bell::default());
    stoppable.ended_sessions = Some(Background::start(pass, &bell).map_err(no_thread())?);
    let listening = listen(Topic::EndedSessions, &settings.database, SESSIONS, move || bell.ring());
    stoppable.session_bell = Some(listening.map_err(no_thread())?);
    Ok(())
}

/// One connection hears of new events for all who wait for some at this replica.
fn watch_events(
    settings: &ApiSettings,
    bell: EventBell,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    let listening = listen(Topic::Events, &settings.database, BACKGROUND, move || bell.ring());
    stoppable.event_bell = Some(listening.map_err(StartError::system("no thread that hears of events"))?);
    Ok(())
}

/// On connections of their own: when very many dead letters come, neither requests nor deadlines wait for them.
fn collect(settings: &ApiSettings, publisher: &Publisher, runtime: &Runtime) -> Option<Collecting> {
    let _inside = runtime.enter();
    let drain = ms(settings.process.stop_wait_ms);
    let start = || {
        let pool_size = settings.dead_letters.parallelism.into();
        let pool = DatabaseSettings { pool_size, ..settings.database.clone() };
        let database = Database::connect(&pool, DEAD_LETTERS);
        Collecting::start((&settings.broker, NAME), &settings.dead_letters, drain, &database, publisher)
    };
    settings.dead_letters.collect.then(start)
}

/// Not on the connections that store: those may all be in use for long.
fn put_back(
    settings: &ApiSettings,
    publisher: &Publisher,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    if settings.dead_letters.replay {
        let pool = DatabaseSettings { pool_size: 1, ..settings.database.clone() };
        let database = Database::connect(&pool, REPLAY);
        let (replays, publisher) = (database.dead_letter_replays(), Arc::new(publisher.clone()));
        let pass = Replay::new(replays, publisher, settings.dead_letters.clone());
        let started = Background::start(pass, &Arc::default());
        stoppable.replay =
            Some(started.map_err(StartError::system("no thread that puts dead letters back"))?);
    }
    Ok(())
}

/// On a connection of its own: a batch may take seconds.
fn sum_up(settings: &ApiSettings, stoppable: &mut Stoppable) -> Result<(), StartError> {
    if settings.reports.sum_up {
        let database =
            Database::connect(&DatabaseSettings { pool_size: 1, ..settings.database.clone() }, SUMS);
        let sums = database.imported_sums(ms(settings.reports.batch_timeout_ms));
        let started = Background::start(Sums::new(sums, settings.reports), &Arc::default());
        stoppable.sums = Some(started.map_err(StartError::system("no thread that sums up imports"))?);
    }
    Ok(())
}

/// Starts the background passes, on connections of their own: a flood of requests that takes every connection
/// of the pool must not make a breach late.
fn watch(
    settings: ApiSettings,
    passwords: &Arc<dyn Passwords>,
    publisher: Publisher,
    stoppable: &mut Stoppable,
) -> Result<(), StartError> {
    let pool_size = settings.process.background_connections;
    let database =
        Database::connect(&DatabaseSettings { pool_size, ..settings.database.clone() }, BACKGROUND);
    let (sweep, relay) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
    let no_thread = || StartError::system("no thread for a background pass");
    if settings.relay.enabled {
        let publisher: Arc<dyn EventPublisher> = Arc::new(publisher);
        let pass = Relay::new(database.outbox(), publisher, settings.relay);
        stoppable.relay = Some(Background::start(pass, &relay).map_err(no_thread())?);
    }
    if settings.feed.enabled {
        let keeper = database.feed_keeper(ms(settings.feed.batch_timeout_ms));
        let pass = Feed::new(keeper, settings.feed);
        stoppable.feed = Some(Background::start(pass, &Arc::default()).map_err(no_thread())?);
    }
    if settings.idempotency.enabled || settings.dead_letters.forget {
        let pass = Forget::new(ports_of(&database, passwords), settings.idempotency, settings.dead_letters);
        stoppable.forget = Some(Background::start(pass, &Arc::default()).map_err(no_thread())?);
    }
    if settings.sweep.enabled {
        let ports = ports_of(&database, passwords);
        let pass = Sweep::new(ports, settings.sweep, relay);
        stoppable.sweep = Some(Background::start(pass, &sweep).map_err(no_thread())?);
        let listening = listen(Topic::Deadlines, &settings.database, BACKGROUND, move || sweep.ring());
        stoppable.bell = Some(listening.map_err(no_thread())?);
    }
    Ok(())
}

/// What `/health/ready` asks.
struct Connection(Publisher);

impl BrokerHealth for Connection {
    fn is_up(&self) -> bool {
        self.0.is_connected()
    }
}
