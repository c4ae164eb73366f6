//! The use cases on a database, for demo data and for the tickets of `chaos` and `bench`.

use std::sync::Arc;
use std::time::Duration;

use garde::Validate;
use serde::Deserialize;
use techsupport_application::ports::{ClientFilter, ImportedSums, Passwords, Readiness, Tx, UnitOfWork};
use techsupport_application::{Actor, AppError, Budget, Call, Ctx, Page, Ports, TraceContext};
use techsupport_bootstrap::ids;
use techsupport_bootstrap::settings::{Sources, load_from};
use techsupport_domain::text::Email;
use techsupport_persistence::{Database, DatabaseSettings};

use crate::error::{self, Error};
use crate::signals;

const NAME: &str = "techsupport-xtask";
const ADMINISTRATOR: &str = "admin@techsupport.pro";
/// For a server that was just started.
const PATIENCE: Duration = Duration::from_secs(30);
/// A large seed takes minutes.
const LIMIT: Duration = Duration::from_hours(6);

/// The section of the settings that matters here; the values are those of every other program.
#[derive(Debug, Deserialize, Validate)]
struct Settings {
    #[garde(dive)]
    database: DatabaseSettings,
}

/// The ports, and a call that lasts as long as the command.
pub(crate) struct Desk {
    ports: Ports,
    call: Call,
    database: Database,
}

impl Desk {
    /// Connects to a database whose schema is current. Acts as the administrator if there is one, else as the desk itself.
    pub(crate) fn open(database_url: &str) -> error::Result<Self> {
        let variables = vec![("DATABASE_URL".to_owned(), database_url.to_owned())];
        let settings: Settings = load_from(&Sources { folder: None, variables })
            .map_err(|error| Error::Refused(error.to_string()))?;
        let database = Database::connect(&settings.database, NAME);
        let ready = database.wait_until_ready(PATIENCE).map_err(Error::desk("connecting to the database"))?;
        if ready == Readiness::SchemaBehind {
            let advice =
                "the schema of this database is behind: `cargo xtask migrate up` brings it up to date";
            return Err(Error::Refused(advice.into()));
        }
        let ports = Ports {
            work: Arc::new(Interruptible(database.unit_of_work())),
            reader: database.reader(),
            reports: database.reports(),
            passwords: Arc::new(NoPasswords),
            new_id: ids::new_id,
            random: ids::random,
        };
        let budget = Arc::new(Budget::lasting(LIMIT));
        let admin = Email::parse(ADMINISTRATOR).map_err(Error::malformed(ADMINISTRATOR))?;
        let admin = ports.reader.credentials(&budget, &admin.folded());
        let admin = admin.map_err(Error::desk("looking for the administrator"))?;
        let actor = admin.map_or(Actor::System, |found| Actor::User(found.user.id));
        let trace = TraceContext::start(ids::new_id(), ids::new_id());
        Ok(Self { ports, call: Call { actor, origin: None, trace, budget }, database })
    }

    /// Moves changes of imported tickets into the sums.
    pub(crate) fn imported_sums(&self, batch_timeout: Duration) -> Arc<dyn ImportedSums> {
        self.database.imported_sums(batch_timeout)
    }

    /// What the use cases take first.
    pub(crate) fn ctx(&self) -> Ctx<'_> {
        Ctx::new(&self.ports, &self.call)
    }

    /// Whether there is no client yet, and so no ticket either.
    pub(crate) fn is_empty(&self) -> error::Result<bool> {
        let Some(page) = Page::new(1, 1) else { return Ok(false) };
        let clients = self.ports.reader.clients(&self.call.budget, &ClientFilter::default(), page);
        Ok(clients.map_err(Error::desk("counting clients"))?.rows.is_empty())
    }
}

/// A unit of work that begins no transaction after Ctrl-C: use cases that make much data know of no signals.
struct Interruptible(Arc<dyn UnitOfWork + Send + Sync>);

impl UnitOfWork for Interruptible {
    fn run(
        &self,
        budget: &Budget,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        if signals::stop_requested() {
            return Err(AppError::TimedOut);
        }
        self.0.run(budget, work)
    }
}

/// Nothing here has a password.
struct NoPasswords;

impl Passwords for NoPasswords {
    fn hash(&self, _secret: &str) -> Result<String, AppError> {
        Err(AppError::internal("xtask hashes no passwords"))
    }

    fn verify(&self, _secret: &str, _hash: Option<&str>) -> Result<bool, AppError> {
        Err(AppError::internal("xtask compares no passwords"))
    }

    fn is_common(&self, _password: &str) -> bool {
        false
    }
}
