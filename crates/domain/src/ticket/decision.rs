//! The outcome of asking for something.

/// What a command came to: the state after it and what happened on the way.
///
/// No events means that nothing changed (for example an agent assigned anew to the same ticket); then
/// nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a decision does nothing until it is recorded"]
pub struct Decision<S, E> {
    /// The state after the command.
    pub state: S,
    /// What happened, in order.
    pub events: Vec<E>,
}
