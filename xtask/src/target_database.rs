//! Which database a command works on that is not told.

use crate::environment;
use crate::error::Result;
use crate::provision::{self, Ledger, Plan, Servers};
use crate::up::INSTANCE;

/// Does `work` with the URL of the given database (`DATABASE_URL`), of that of a running `up`, or of that of a stopped `up`,
/// whose PostgreSQL is started for the purpose.
pub(crate) fn with(work: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    if let Some(url) = environment::text("DATABASE_URL").map_or_else(running_url, |url| Ok(Some(url)))? {
        return work(&url);
    }
    let servers = Servers::start(&Plan::kept(INSTANCE).without_broker())?;
    let outcome = servers.database_url().map_or(Ok(()), work);
    outcome.and(servers.stop())
}

fn running_url() -> Result<Option<String>> {
    let running = provision::is_locked(INSTANCE)?;
    Ok(Ledger::read(INSTANCE).filter(|_| running).and_then(|ledger| ledger.database_url))
}
