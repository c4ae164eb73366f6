//! Answers that are kept so that a request can be sent again.

use std::time::Duration;

use crate::AppError;

/// What makes two requests the same request: a digest of caller, method, path and idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepeatKey(pub [u8; 32]);

/// What they ask for: a digest of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// An answer as it left. No `Debug`: it is as confidential as what it tells of.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// Fields of the head that belong to the answer and not to the single request, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// To the byte.
    pub body: Vec<u8>,
}

/// What became of the same request before.
pub enum Earlier {
    /// It is under way at this moment, in another transaction, and has no answer yet.
    InFlight,
    /// It never was, or so long ago that it is forgotten. The key is ours until the transaction ends.
    Nothing,
    /// It was answered.
    Answered(Fingerprint, KeptAnswer),
}

/// Kept answers inside a transaction.
pub trait RepeatTx {
    /// Takes the key until the transaction ends and says what is known of it. Never waits for another request
    /// with the same key: waiting requests would take the connections of all others.
    fn claim_repeat(&mut self, key: &RepeatKey) -> Result<Earlier, AppError>;

    /// Keeps the answer of a request whose key was claimed, for `keep_for` from now by the database's clock.
    fn keep_answer(
        &mut self,
        key: &RepeatKey,
        fingerprint: &Fingerprint,
        answer: &KeptAnswer,
        keep_for: Duration,
    ) -> Result<(), AppError>;

    /// Forgets up to `limit` answers whose time is over, and says how many. Passes over those that somebody
    /// else is about to forget.
    fn forget_answers(&mut self, limit: u32) -> Result<u32, AppError>;
}
