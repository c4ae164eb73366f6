//! Requests that may be sent again without being done again.
//!
//! The answer is kept in the transaction of the change it tells of: either both are there or neither is,
//! whatever crashes in between. So a caller who never saw the answer sends the same request with the same key
//! and gets the answer of the first time.

use std::time::Duration;

use crate::{
    AppError, Conflict, Ctx, Joined,
    ports::{Earlier, Fingerprint, KeptAnswer, RepeatKey, UnitOfWorkExt},
};

/// A request that carries an idempotency key.
#[derive(Debug, Clone)]
pub struct Repeatable {
    /// Which request it is.
    pub key: RepeatKey,
    /// What it asks for.
    pub fingerprint: Fingerprint,
    /// How long its answer is kept.
    pub keep_for: Duration,
}

/// An answer that is kept.
pub enum Once {
    /// To the first request.
    First(KeptAnswer),
    /// The same answer again; nothing was done.
    Again(KeptAnswer),
}

/// Does the work and keeps its answer, or finds the answer of an earlier time. `refusal` renders a verdict
/// ([`AppError::is_verdict`]), which is kept like a success; any other failure leaves nothing behind, and the next
/// request with the key is the first again.
///
/// Of several requests with one key at once one is done; the others are told that it is under way.
pub fn run_once(
    ctx: Ctx<'_>,
    request: &Repeatable,
    mut work: impl FnMut(Ctx<'_>) -> Result<KeptAnswer, AppError>,
    refusal: impl Fn(AppError) -> Result<KeptAnswer, AppError>,
) -> Result<Once, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| {
        match tx.claim_repeat(&request.key)? {
            Earlier::InFlight => return Err(AppError::Conflict(Conflict::RepeatInFlight)),
            Earlier::Answered(asked, answer) if asked == request.fingerprint => {
                return Ok(Once::Again(answer));
            }
            Earlier::Answered(..) => return Err(AppError::RepeatDiffers),
            Earlier::Nothing => {}
        }
        // One part for the whole of it: a use case may run several units of work.
        let worked = tx.attempt_for(|tx| {
            let joined = Joined::new(tx);
            work(ctx.joining(&joined))
        });
        let answer = match worked {
            Err(error) if error.is_verdict() => refusal(error)?,
            worked => worked?,
        };
        tx.keep_answer(&request.key, &request.fingerprint, &answer, request.keep_for)?;
        Ok(Once::First(answer))
    })
}

/// Forgets up to `batch` answers whose time is over, and says how many.
pub fn forget_answers(ctx: Ctx<'_>, batch: u32) -> Result<u32, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| tx.forget_answers(batch))
}
