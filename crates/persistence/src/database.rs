//! The pool and the adapters that share it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use techsupport_application::{
    AppError, Budget,
    ports::{
        DeadLetterReplays, FeedKeeper, ImportJobs, ImportedSums, Outbox, Reader, Readiness, Reports,
        UnitOfWork,
    },
};

use crate::{
    DatabaseSettings,
    failure::Failure,
    feed::PgFeedKeeper,
    imports::PgImportJobs,
    link::{Link, LinkManager},
    meters, migrate,
    outbox::PgOutbox,
    policies::PolicyCache,
    reachability::{NoteRefusals, Reachability},
    read::PgReader,
    replays::PgReplays,
    reports::{PgImportedSums, PgReports},
    unit_of_work::{PgUnitOfWork, limited},
};

/// How often [`Database::wait_until_ready`] looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long a look may take when there is no time left for a second one.
const ONE_LOOK: Duration = Duration::from_secs(1);

/// A pool of connections. Cheap to clone; connections are opened when they are first needed.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    /// What the server and the metrics see as its name.
    name: String,
    pool: r2d2::Pool<LinkManager>,
    settings: DatabaseSettings,
    policies: PolicyCache,
    reachability: Arc<Reachability>,
}

impl Database {
    /// Prepares the pool. Does not wait for the server: see [`Database::wait_until_ready`].
    /// `application_name` is what `pg_stat_activity` shows.
    pub fn connect(settings: &DatabaseSettings, application_name: &str) -> Self {
        let reachability = Arc::new(Reachability::default());
        let pool = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(0))
            .connection_timeout(settings.checkout_timeout())
            // A test at every checkout costs half the throughput of reads. A dead connection is noticed by
            // its first statement instead, and the next one is tried.
            .test_on_check_out(false)
            .error_handler(Box::new(NoteRefusals(Arc::clone(&reachability))))
            .build_unchecked(LinkManager::new(settings, application_name, Arc::clone(&reachability)));
        let policies = PolicyCache::default();
        let name = application_name.to_owned();
        meters::pool_made(&name);
        let shared = Shared { name, pool, settings: settings.clone(), policies, reachability };
        Self { shared: Arc::new(shared) }
    }

    /// The adapter for changes.
    pub fn unit_of_work(&self) -> Arc<dyn UnitOfWork + Send + Sync> {
        Arc::new(PgUnitOfWork::new(self.clone()))
    }

    /// The adapter for reads.
    pub fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(PgReader::new(self.clone()))
    }

    /// The adapter for the pass that keeps what reports read up to date. A batch may take as long as that.
    pub fn imported_sums(&self, batch_timeout: Duration) -> Arc<dyn ImportedSums> {
        Arc::new(PgImportedSums::new(self.clone(), batch_timeout))
    }

    /// The adapter for reports.
    pub fn reports(&self) -> Arc<dyn Reports> {
        Arc::new(PgReports::new(self.clone()))
    }

    /// The adapter for the relay.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::new(PgOutbox::new(self.clone()))
    }

    /// The adapter for the pass that puts dead letters back.
    pub fn dead_letter_replays(&self) -> Arc<dyn DeadLetterReplays> {
        Arc::new(PgReplays::new(self.clone()))
    }

    /// The adapter for the pass that appends to the feed. A batch may take as long as that: all of the outbox may
    /// have to be compared.
    pub fn feed_keeper(&self, batch_timeout: Duration) -> Arc<dyn FeedKeeper> {
        Arc::new(PgFeedKeeper::new(self.clone(), batch_timeout))
    }

    /// The adapter for workers that import files.
    pub fn import_jobs(&self) -> Arc<dyn ImportJobs> {
        Arc::new(PgImportJobs::new(self.clone()))
    }

    /// Waits until the server answers, `limit` at most, and says whether its schema can be used.
    pub fn wait_until_ready(&self, limit: Duration) -> Result<Readiness, AppError> {
        let started = Instant::now();
        loop {
            match self.readiness(&Budget::lasting(limit)) {
                Err(error) if error.is_transient() && started.elapsed() < limit => {
                    tracing::debug!(%error, "waiting for the database");
                    pause();
                }
                outcome => return outcome,
            }
        }
    }

    /// Like [`Database::wait_until_ready`], but also waits while somebody else brings the schema up to date.
    pub fn wait_until_migrated(&self, limit: Duration) -> Result<Readiness, AppError> {
        let started = Instant::now();
        loop {
            let left = limit.saturating_sub(started.elapsed()).max(ONE_LOOK);
            let found = self.wait_until_ready(left)?;
            if found == Readiness::Ready || started.elapsed() >= limit {
                return Ok(found);
            }
            pause();
        }
    }

    pub(crate) fn readiness(&self, budget: &Budget) -> Result<Readiness, AppError> {
        self.read(budget, migrate::readiness)
    }

    pub(crate) fn settings(&self) -> &DatabaseSettings {
        &self.shared.settings
    }

    pub(crate) fn policies(&self) -> &PolicyCache {
        &self.shared.policies
    }

    /// Takes a connection from the pool and makes sure with `first` that it is alive. Connections that
    /// died while they lay in the pool are thrown away, all of them if need be.
    pub(crate) fn link<T>(
        &self,
        budget: &Budget,
        mut first: impl FnMut(&mut Link) -> Result<T, Failure>,
    ) -> Result<(r2d2::PooledConnection<LinkManager>, T), AppError> {
        let mut dead = 0;
        loop {
            let mut link = self.checkout(budget)?;
            match first(&mut link) {
                Ok(value) => return Ok((link, value)),
                Err(failure) if failure.is_lost() && dead <= self.shared.settings.pool_size => dead += 1,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Runs one read, once more on another connection when the first was dead. Outside of a transaction,
    /// unless the caller has less time left than the session gives a statement.
    pub(crate) fn read<T>(
        &self,
        budget: &Budget,
        mut query: impl FnMut(&mut PgConnection) -> diesel::QueryResult<T>,
    ) -> Result<T, AppError> {
        if budget.left() < Duration::from_millis(self.shared.settings.statement_timeout_ms) {
            return self.read_in(budget, "BEGIN READ ONLY", query);
        }
        self.link(budget, |link| link.query(|conn| query(conn))).map(|(_, value)| value)
    }

    /// Runs reads in a transaction that `begin` opens. No statement gets more time than the caller has left.
    pub(crate) fn read_in<T>(
        &self,
        budget: &Budget,
        begin: &str,
        statements: impl FnOnce(&mut PgConnection) -> diesel::QueryResult<T>,
    ) -> Result<T, AppError> {
        self.within(budget, begin, |link| Ok(link.query(statements)?))
    }

    /// Runs work that is not to be repeated in a transaction that `begin` opens.
    pub(crate) fn within<T>(
        &self,
        budget: &Budget,
        begin: &str,
        work: impl FnOnce(&mut Link) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let begin = limited(begin, self, budget);
        let (mut link, ()) = self.link(budget, |link| link.begin(&begin))?;
        match work(&mut link) {
            Ok(value) => link.commit().map(|()| value).map_err(AppError::from),
            Err(error) => {
                link.roll_back();
                Err(error)
            }
        }
    }

    fn checkout(&self, budget: &Budget) -> Result<r2d2::PooledConnection<LinkManager>, AppError> {
        if budget.is_over() {
            return Err(AppError::TimedOut);
        }
        // While the server is away the pool keeps trying by itself. Waiting for it in a queue, only to hear the
        // same in the end, would keep those waiting who come after.
        if self.shared.pool.state().connections == 0 && self.shared.reachability.is_refusing() {
            return Err(Failure::no_connection(&"the database lets nobody in at the moment"));
        }
        let waited = Instant::now();
        let link = self.shared.pool.get_timeout(self.shared.settings.checkout_timeout().min(budget.left()));
        let (name, state) = (&self.shared.name, self.shared.pool.state());
        meters::waited(name, waited.elapsed(), link.is_err());
        meters::connections(name, state.connections, state.idle_connections);
        link.map_err(|error| Failure::no_connection(&error))
    }
}

/// Between two looks at a server that is not ready.
#[expect(clippy::disallowed_methods, reason = "the start of a program, which has nothing else to do")]
fn pause() {
    std::thread::sleep(LOOK_AGAIN);
}
