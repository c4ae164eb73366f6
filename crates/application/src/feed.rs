//! The feed of events, for integrators who missed something.

use crate::{
    AppError, Ctx,
    ports::{FeedEvent, FeedQuery},
};

/// The next events of the feed, in its order. `None` when the feed does not reach as far as the query: such a
/// place was never handed out, or belongs to a database that was set back since.
pub fn read_feed(ctx: Ctx<'_>, query: &FeedQuery) -> Result<Option<Vec<FeedEvent>>, AppError> {
    ctx.ports.reader.feed(&ctx.call.budget, query)
}
