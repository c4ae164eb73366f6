//! Waits until everything that was written is published.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::psql::Psql;
use crate::{progress, wait};

/// A million events at a modest pace.
const LIMIT: Duration = Duration::from_mins(20);
const LOOK: Duration = Duration::from_millis(200);

/// Returns once the outbox has nothing left to publish.
pub(crate) fn drain(psql: &Psql) -> Result<()> {
    let bar = progress::bar("publishing", 0);
    let drained = wait::until(LIMIT, || {
        let left: u64 = psql
            .run("SELECT count(*) FROM outbox WHERE published_at IS NULL")?
            .parse()
            .map_err(Error::malformed("an answer of psql"))?;
        let most = bar.length().unwrap_or(0).max(left);
        bar.set_length(most);
        bar.set_position(most - left);
        if left > 0 {
            wait::pause(LOOK);
        }
        Ok((left == 0).then_some(()))
    })?;
    bar.finish_and_clear();
    drained.ok_or_else(|| Error::Refused(format!("the outbox is not empty after {} s", LIMIT.as_secs())))
}
