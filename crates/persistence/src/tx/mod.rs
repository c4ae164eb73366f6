//! What can be done inside a transaction.

mod accounts;
mod audit;
mod dead_letters;
mod deliveries;
mod directory;
mod imports;
mod record;
mod repeats;
mod scope;
mod terms;
mod texts;
mod tickets;

use diesel::{PgConnection, QueryResult};
use techsupport_application::{AppError, Budget};

use crate::{Database, failure::Failure, link::Link};

diesel::define_sql_function! {
    /// PostgreSQL's clock at this moment, not at the beginning of the transaction.
    fn clock_timestamp() -> Timestamptz;
}

/// A transaction under way. It remembers its first failure, whatever the work makes of the error, and does
/// nothing more after it.
pub(crate) struct PgTx<'a> {
    link: &'a mut Link,
    database: &'a Database,
    budget: &'a Budget,
    failure: Option<Failure>,
}

impl<'a> PgTx<'a> {
    pub(crate) fn new(link: &'a mut Link, database: &'a Database, budget: &'a Budget) -> Self {
        Self { link, database, budget, failure: None }
    }

    /// The first failure of a statement, if one failed.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    /// Runs statements. `explain` may turn a failure into something the caller understands, such as a taken
    /// e-mail address; the transaction is lost all the same.
    fn exec_or<T>(
        &mut self,
        statements: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
        explain: impl FnOnce(&Failure) -> Option<AppError>,
    ) -> Result<T, AppError> {
        if self.failure.is_some() {
            return Err(AppError::internal("a statement in a transaction that has failed"));
        }
        if self.budget.is_over() {
            self.failure = Some(Failure::Cancelled);
            return Err(AppError::TimedOut);
        }
        self.link.query(statements).map_err(|failure| {
            let explained = explain(&failure);
            let error = explained.unwrap_or_else(|| describe(&failure));
            self.failure = Some(failure);
            error
        })
    }

    /// Changes the nesting of the transaction.
    fn on_link(&mut self, step: impl FnOnce(&mut Link) -> Result<(), Failure>) -> Result<(), AppError> {
        if self.failure.is_some() {
            return Err(AppError::internal("a statement in a transaction that has failed"));
        }
        step(self.link).map_err(|failure| {
            let error = describe(&failure);
            self.failure = Some(failure);
            error
        })
    }

    fn exec<T>(
        &mut self,
        statements: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> Result<T, AppError> {
        self.exec_or(statements, |_| None)
    }
}

/// The error for the work to see. The failure itself stays with the transaction, which decides.
fn describe(failure: &Failure) -> AppError {
    match failure {
        Failure::Clash(reason) => Failure::Clash(reason.clone()).into(),
        Failure::LockTimeout => Failure::LockTimeout.into(),
        Failure::Cancelled => Failure::Cancelled.into(),
        Failure::Lost(reason) => Failure::Lost(reason.clone()).into(),
        Failure::Unique(name) => Failure::Unique(name.clone()).into(),
        Failure::ForeignKey(name) => Failure::ForeignKey(name.clone()).into(),
        Failure::Other(error) => AppError::internal(error.to_string()),
    }
}
