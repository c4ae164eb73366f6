//! Which events are written.

use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    filter::Targets,
    layer::{Context, Layer},
};

use super::{LogSettings, TelemetryError};

/// Events pass by target and level. Spans of level INFO and above always exist, whatever the filter: a
/// warning has to carry the request's id also when nothing below a warning is written.
pub(super) struct LineFilter(Targets);

impl LineFilter {
    pub(super) fn new(settings: &LogSettings) -> Result<Self, TelemetryError> {
        settings.targets().map(Self).map_err(TelemetryError::Filter)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        (metadata.is_span() && *metadata.level() <= LevelFilter::INFO)
            || self.0.would_enable(metadata.target(), metadata.level())
    }
}

impl<S: Subscriber> Layer<S> for LineFilter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let wanted = Layer::<S>::max_level_hint(&self.0)?;
        Some(wanted.max(LevelFilter::INFO))
    }
}
