//! The recorder of this process's metrics.

use std::{io, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From a millisecond to the longest that anything here may take.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

static RECORDER: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Once; further calls do nothing. What is measured before is lost.
pub(super) fn install() -> io::Result<()> {
    let installed = RECORDER.get_or_init(|| {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| error.to_string())
    });
    installed.as_ref().map(drop).map_err(|error| io::Error::other(error.clone()))
}

pub(super) fn text() -> String {
    RECORDER
        .get()
        .and_then(|recorder| recorder.as_ref().ok())
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}

/// Without it, and without anybody who reads the metrics, memory would grow with every measurement.
pub(super) fn upkeep() {
    if let Some(Ok(recorder)) = RECORDER.get() {
        recorder.run_upkeep();
    }
}
