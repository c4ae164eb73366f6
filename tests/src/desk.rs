//! The whole program, for one test.

use std::sync::Arc;

use techsupport_api::{Api, ApiSettings, RunningApi};
use techsupport_application::{Actor, Budget, Call, Ports, TraceContext};
use techsupport_bootstrap::{
    ids,
    settings::{Sources, load_from},
};
use techsupport_domain::TicketId;
use techsupport_persistence::Database;

use crate::{
    Client, Proxy, Queue, TestBroker, TestDatabase, broker::RETRY_DELAYS_MS, environment, eventually, logs,
    until,
};

pub(crate) const ADMIN_PASSWORD: &str = "tests-only-administrator";

/// What stands between a program and a server of its own.
enum Behind {
    Nothing,
    DatabaseWay,
    BrokerWay,
}

/// What may take a while in a test, in milliseconds. Less than a request may take, so that the reason is told.
const PATIENCE: [(&str, Behind, u32); 11] = [
    ("DATABASE__CHECKOUT_TIMEOUT_MS", Behind::DatabaseWay, 20_000),
    ("DATABASE__CONNECT_TIMEOUT_MS", Behind::DatabaseWay, 20_000),
    ("HTTP__READINESS_TIMEOUT_MS", Behind::DatabaseWay, 20_000),
    ("BROKER__CONNECT_TIMEOUT_MS", Behind::BrokerWay, 20_000),
    ("BROKER__CONFIRM_TIMEOUT_MS", Behind::BrokerWay, 20_000),
    // More than two confirms.
    ("DATABASE__IDLE_IN_TRANSACTION_TIMEOUT_MS", Behind::BrokerWay, 60_000),
    ("DATABASE__LOCK_TIMEOUT_MS", Behind::Nothing, 20_000),
    ("DATABASE__STATEMENT_TIMEOUT_MS", Behind::Nothing, 20_000),
    ("HTTP__HEADER_TIMEOUT_MS", Behind::Nothing, 20_000),
    ("HTTP__BODY_TIMEOUT_MS", Behind::Nothing, 20_000),
    ("AUTH__REVOCATIONS__MAX_AGE_MS", Behind::Nothing, 20_000),
];

/// The whole program with a database and broker names of its own. Dropping it stops it and removes them.
pub struct Desk {
    // In the order in which they have to end.
    apis: Vec<RunningApi>,
    broker: TestBroker,
    variables: Vec<(String, String)>,
    database_way: Option<Proxy>,
    broker_way: Option<Proxy>,
    database: TestDatabase,
}

/// What a desk is to be like.
#[derive(Debug, Default)]
pub struct DeskBuilder {
    variables: Vec<(String, String)>,
    database_proxy: bool,
    broker_proxy: bool,
    replicas: usize,
}

impl Desk {
    /// With the default settings, but for shorter waits.
    pub fn start() -> Self {
        Self::with().start()
    }

    /// Says what is to be different.
    pub fn with() -> DeskBuilder {
        DeskBuilder { replicas: 1, ..DeskBuilder::default() }
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Its queues.
    pub fn broker(&self) -> &TestBroker {
        &self.broker
    }

    /// The way to the database, if it was to be one that can be cut.
    pub fn database_way(&self) -> &Proxy {
        self.database_way.as_ref().expect("a desk with a way to the database that can be cut")
    }

    /// The way to the broker, if it was to be one that can be cut.
    pub fn broker_way(&self) -> &Proxy {
        self.broker_way.as_ref().expect("a desk with a way to the broker that can be cut")
    }

    /// What programs of this desk find in their environment.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Where the first replica listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.apis.first().expect("an API").address()
    }

    /// Where every replica listens, in the order in which they were started.
    pub fn addresses(&self) -> Vec<String> {
        self.apis.iter().map(|api| api.address().to_string()).collect()
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        Client::anonymous(format!("http://{}", self.address()))
    }

    /// Stops every replica of the API, as SIGTERM does.
    pub fn stop_api(&mut self) {
        self.apis.drain(..).for_each(RunningApi::stop);
    }

    /// Starts one more replica of the API.
    pub fn start_api(&mut self) {
        self.start_api_with(&[]);
    }

    /// Starts one more replica of the API with some other settings, `SECTION__KEY`, and says where it listens. With a limit
    /// that a test is about, so that nothing else has to keep it.
    pub fn start_api_with(&mut self, changes: &[(&str, &str)]) -> String {
        let api = Api::start(&self.settings_with(changes)).expect("the API starts");
        let address = api.address().to_string();
        self.apis.push(api);
        address
    }

    /// The settings of its API.
    pub fn settings(&self) -> ApiSettings {
        self.settings_with(&[])
    }

    fn settings_with(&self, changes: &[(&str, &str)]) -> ApiSettings {
        let changes = changes.iter().map(|(key, value)| (format!("TECHSUPPORT__{key}"), (*value).to_owned()));
        let variables = overlaid(self.variables.clone(), changes);
        load_from(&Sources { folder: None, variables }).expect("sound settings")
    }

    /// The use cases' world on this database, with a pool of its own: for tests that call a pass directly.
    pub fn ports(&self) -> Ports {
        self.ports_with(&[])
    }

    /// The same with some other settings, `SECTION__KEY`.
    pub fn ports_with(&self, changes: &[(&str, &str)]) -> Ports {
        let settings = self.settings_with(changes);
        let database = Database::connect(&settings.database, "tests");
        Ports {
            work: database.unit_of_work(),
            reader: database.reader(),
            reports: database.reports(),
            passwords: Arc::new(
                techsupport_api::BcryptPasswords::new(&settings.passwords.pepper, 4).expect("sound settings"),
            ),
            new_id: ids::new_id,
            random: ids::random,
        }
    }

    /// The program's own adapter, with a pool of its own.
    pub fn pool(&self) -> Database {
        Database::connect(&self.settings().database, "tests")
    }

    /// The events in the outbox, oldest first, by the end of their type.
    pub fn events(&self) -> Vec<String> {
        self.database.all("SELECT type FROM outbox ORDER BY id", &[])
    }

    /// Nothing was published, nor will be.
    pub fn assert_no_events(&self) {
        assert_eq!(self.events(), Vec::<String>::new());
    }

    /// Waits until every event has left the outbox.
    pub fn await_published(&self) {
        eventually("the outbox drains", || self.database.count("outbox WHERE published_at IS NULL") == 0);
    }

    /// Waits until the relay has found the broker and declared what it needs.
    pub fn await_topology(&self) {
        let main = self.broker.name(Queue::Main);
        until("the topology", || self.broker.ready(&main));
        eventually("the API is ready", || self.anonymous().get("/health/ready").status == 200);
    }
}

/// A call by the desk itself, with a minute of time.
pub fn system_call() -> Call {
    Call {
        actor: Actor::System,
        origin: None,
        trace: TraceContext::start(ids::new_id(), ids::new_id()),
        budget: Arc::new(Budget::lasting(std::time::Duration::from_mins(1))),
    }
}

impl DeskBuilder {
    /// Sets a setting by its environment variable, `SECTION__KEY`.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.variables.push((format!("TECHSUPPORT__{key}"), value.to_string()));
        self
    }

    /// The sweep is left to the test.
    #[must_use]
    pub fn without_sweep(self) -> Self {
        self.set("SWEEP__ENABLED", false)
    }

    /// The relay is left to the test.
    #[must_use]
    pub fn without_relay(self) -> Self {
        self.set("RELAY__ENABLED", false)
    }

    /// Dead letters are collected. Otherwise they stay at the broker: few tests are about them, and each replica has
    /// three connections for this.
    #[must_use]
    pub fn collecting(self) -> Self {
        self.set("DEAD_LETTERS__COLLECT", true)
    }

    /// So many replicas of the API on one database.
    #[must_use]
    pub fn replicas(self, replicas: usize) -> Self {
        Self { replicas, ..self }
    }

    /// The program reaches the database over a way that can be cut.
    #[must_use]
    pub fn cuttable_database(self) -> Self {
        Self { database_proxy: true, ..self }
    }

    /// The program reaches the broker over a way that can be cut.
    #[must_use]
    pub fn cuttable_broker(self) -> Self {
        Self { broker_proxy: true, ..self }
    }

    /// Starts it.
    pub fn start(self) -> Desk {
        logs::captured();
        let (database, broker) = (TestDatabase::migrated(), TestBroker::new());
        let amqp = environment::amqp_url();
        let database_way = self.database_proxy.then(|| Proxy::to_server_of(database.url()));
        let broker_way = self.broker_proxy.then(|| Proxy::to_server_of(&amqp));
        let way = |proxy: &Option<Proxy>, url: &str| match proxy {
            Some(proxy) => proxy.redirect(url),
            None => url.to_owned(),
        };
        let delays = RETRY_DELAYS_MS.map(|delay| delay.to_string()).join(",");
        // A machine that stands still for a while fails no test: only what is behind a way that can be cut is given up as soon
        // as in production. Tests of a limit set it.
        let patience = PATIENCE.into_iter().filter(|(_, is_behind, _)| match is_behind {
            Behind::Nothing => true,
            Behind::DatabaseWay => !self.database_proxy,
            Behind::BrokerWay => !self.broker_proxy,
        });
        let variables: Vec<(String, String)> = [
            ("DATABASE_URL", way(&database_way, database.url())),
            ("AMQP_URL", way(&broker_way, &amqp)),
            ("TECHSUPPORT_ADMIN_PASSWORD", ADMIN_PASSWORD.to_owned()),
            ("TECHSUPPORT__BROKER__PREFIX", broker.prefix().to_owned()),
            ("TECHSUPPORT__BROKER__RETRY_DELAYS_MS", delays.clone()),
            ("TECHSUPPORT__BROKER__RECONNECT_MIN_MS", "20".to_owned()),
            ("TECHSUPPORT__BROKER__RECONNECT_MAX_MS", "200".to_owned()),
            ("TECHSUPPORT__WORKER__RETRY_DELAYS_MS", delays),
            ("TECHSUPPORT__WORKER__LEASE_MARGIN_MS", "100".to_owned()),
            ("TECHSUPPORT__HTTP__PORT", "0".to_owned()),
            ("TECHSUPPORT__HTTP__LEAVE_MS", "0".to_owned()),
            ("TECHSUPPORT__HTTP__WORKERS", "2".to_owned()),
            ("TECHSUPPORT__PASSWORDS__BCRYPT_COST", "4".to_owned()),
            ("TECHSUPPORT__AUTH__THROTTLE__ADDRESS_BURST", "100000".to_owned()),
            ("TECHSUPPORT__AUTH__THROTTLE__ACCOUNT_BURST", "100000".to_owned()),
            ("TECHSUPPORT__HTTP__RATE_LIMIT__REQUESTS", "1000000".to_owned()),
            ("TECHSUPPORT__FEED__POLL_MS", "20".to_owned()),
            ("TECHSUPPORT__DEAD_LETTERS__COLLECT", "false".to_owned()),
            ("TECHSUPPORT__DEAD_LETTERS__POLL_MS", "20".to_owned()),
            ("TECHSUPPORT__SWEEP__POLL_MS", "100".to_owned()),
            ("TECHSUPPORT__RELAY__POLL_MS", "20".to_owned()),
            ("TECHSUPPORT__RELAY__MAX_BACKOFF_MS", "300".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let patience = patience.map(|(key, _, ms)| (format!("TECHSUPPORT__{key}"), ms.to_string()));
        let variables = overlaid(variables, patience.chain(self.variables));
        let mut desk = Desk { apis: Vec::new(), broker, variables, database_way, broker_way, database };
        (0..self.replicas).for_each(|_| desk.start_api());
        desk
    }
}

/// What was there, but for what is said anew.
fn overlaid(
    mut variables: Vec<(String, String)>,
    changes: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    for (name, value) in changes {
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
    }
    variables
}

/// A ticket's id as the domain has it.
pub fn ticket_id(id: uuid::Uuid) -> TicketId {
    TicketId::new(id)
}
