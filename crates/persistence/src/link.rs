//! One connection, and how the pool makes and judges it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryResult, connection::SimpleConnection, connection::TransactionManager,
};
use secrecy::ExposeSecret;

use crate::{DatabaseSettings, failure::Failure, reachability::Reachability};

type Manager = <PgConnection as Connection>::TransactionManager;

/// A connection that knows whether it can be used again.
pub(crate) struct Link {
    pub(crate) conn: PgConnection,
    /// Set when the server is gone or a transaction could not be ended. The pool drops it then.
    pub(crate) broken: bool,
    /// Since when it has kept the plans of statements.
    planning_since: Instant,
}

impl Link {
    /// Runs queries outside of a transaction and notices when the connection is lost.
    pub(crate) fn query<T>(
        &mut self,
        query: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> Result<T, Failure> {
        query(&mut self.conn).map_err(|error| {
            // diesel gives a connection up when libpq no longer knows the state of its transaction: that
            // holds in whatever words, or language, the loss is reported.
            let gone = Manager::transaction_manager_status_mut(&mut self.conn).transaction_depth().is_err();
            let failure = if gone { Failure::Lost(error.to_string()) } else { Failure::from(error) };
            self.broken |= failure.is_lost();
            failure.count();
            failure
        })
    }

    /// Opens a transaction; `setup` are further statements of the same round trip.
    pub(crate) fn begin(&mut self, setup: &str) -> Result<(), Failure> {
        self.query(|conn| Manager::begin_transaction_sql(conn, setup))
    }

    /// Opens a transaction whose statements are planned once for all values, and planned again when their plans are
    /// older than `plan_lifetime`.
    ///
    /// It is for statements that find their rows by keys, where one plan is as good as another. PostgreSQL cannot
    /// know that: it takes an array for ten rows long until it has looked, so it would rather plan for the one row
    /// at hand each time, which takes longer than the work (PostgreSQL documentation, section 20.7.4). But a plan
    /// that was made while a table was empty reads all of it, hence the lifetime. Numbers that a plan has to know,
    /// such as a LIMIT, have to be written into the statement.
    pub(crate) fn begin_planned(&mut self, setup: &str, plan_lifetime: Duration) -> Result<(), Failure> {
        let mut setup = format!("{setup}; SET LOCAL plan_cache_mode = force_generic_plan");
        if self.planning_since.elapsed() > plan_lifetime {
            setup.push_str("; DISCARD PLANS");
            self.planning_since = Instant::now();
        }
        self.begin(&setup)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        let result = self.query(Manager::commit_transaction);
        self.broken |= self.in_transaction();
        result
    }

    pub(crate) fn roll_back(&mut self) {
        if Manager::rollback_transaction(&mut self.conn).is_err() || self.in_transaction() {
            self.broken = true;
        }
    }

    /// Begins a part of the transaction that can be undone on its own.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        self.query(Manager::begin_transaction)
    }

    /// Ends the part and keeps what it did.
    pub(crate) fn release(&mut self) -> Result<(), Failure> {
        self.query(Manager::commit_transaction)
    }

    /// Ends the part and undoes what it did.
    pub(crate) fn undo(&mut self) -> Result<(), Failure> {
        self.query(Manager::rollback_transaction)
    }

    fn in_transaction(&mut self) -> bool {
        !matches!(Manager::transaction_manager_status_mut(&mut self.conn).transaction_depth(), Ok(None))
    }
}

/// Opens connections for the pool.
pub(crate) struct LinkManager {
    url: String,
    setup: String,
    reachability: Arc<Reachability>,
}

impl LinkManager {
    pub(crate) fn new(
        settings: &DatabaseSettings,
        application_name: &str,
        reachability: Arc<Reachability>,
    ) -> Self {
        let url = url_with_parameters(settings, application_name);
        Self { url, setup: session_setup(settings), reachability }
    }

    /// A connection outside of the pool.
    pub(crate) fn open(&self) -> Result<PgConnection, OpenError> {
        let mut conn = PgConnection::establish(&self.url).map_err(OpenError::Connect)?;
        conn.batch_execute(&self.setup).map_err(OpenError::Setup)?;
        // Errors are told apart by their text (`failure.rs`), so it has to be English. Only a superuser may
        // say so; elsewhere servers are English unless somebody went out of their way.
        if let Err(error) = conn.batch_execute("SET lc_messages = 'C'") {
            tracing::debug!(%error, "the server does not let us choose the language of its messages");
        }
        Ok(conn)
    }
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The server did not answer or refused.
    #[error("{0}")]
    Connect(#[source] diesel::ConnectionError),
    /// The session could not be set up.
    #[error("{0}")]
    Setup(#[source] diesel::result::Error),
}

impl r2d2::ManageConnection for LinkManager {
    type Connection = Link;
    type Error = OpenError;

    fn connect(&self) -> Result<Link, Self::Error> {
        let conn = self.open()?;
        self.reachability.connected();
        Ok(Link { conn, broken: false, planning_since: Instant::now() })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), Self::Error> {
        link.conn.batch_execute("").map_err(OpenError::Setup)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken || std::thread::panicking() || link.in_transaction()
    }
}

fn session_setup(settings: &DatabaseSettings) -> String {
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET TIME ZONE 'UTC'",
        settings.statement_timeout_ms, settings.lock_timeout_ms, settings.idle_in_transaction_timeout_ms,
    )
}

/// libpq's own settings travel in the URL (PostgreSQL documentation, section 34.1.2). What the operator
/// wrote there comes later and wins.
fn url_with_parameters(settings: &DatabaseSettings, application_name: &str) -> String {
    let url = settings.url.expose_secret();
    let (base, own) = url.split_once('?').unwrap_or((url, ""));
    let seconds = settings.connect_timeout_ms.div_ceil(1_000);
    let mut full = format!(
        "{base}?application_name={application_name}&connect_timeout={seconds}&keepalives=1&keepalives_idle=30\
         &keepalives_interval=10&keepalives_count=3&tcp_user_timeout={}",
        settings.tcp_user_timeout_ms,
    );
    if !own.is_empty() {
        full.push('&');
        full.push_str(own);
    }
    full
}
