//! Going on after a panic, which would otherwise end a task without a word.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// What the work comes to; `None` when it panicked, which the log hears of.
pub(crate) async fn survive<T>(task: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await.ok();
    if outcome.is_none() {
        tracing::error!(task, "a task panicked; it is taken up again");
    }
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    #[tokio::test]
    async fn a_panic_ends_only_the_work() {
        assert_eq!(survive("test", async { 7 }).await, Some(7));
        assert_eq!(survive("test", async { panic!("on purpose") }).await, None::<()>);
    }
}
