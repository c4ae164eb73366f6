//! Passes events on, and nothing else.

use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// A layer that hears of events only. The bunyan formatter writes a line when a span begins and when it
/// ends and cannot be told not to; a per-layer filter would hide the span's fields from its events as well.
pub(super) struct EventsOnly<L>(pub(super) L);

impl<S, L> Layer<S> for EventsOnly<L>
where
    S: Subscriber,
    L: Layer<S>,
{
    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.0.on_event(event, ctx);
    }
}
