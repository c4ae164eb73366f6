//! The recorder of this process's metrics. There is one a process, whoever measures and whoever tells of it.

use std::{
    io,
    sync::OnceLock,
    thread::{self, park_timeout},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From a millisecond to the longest that anybody waits for an answer.
const SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];

/// How often measurements are folded into their buckets. Without it, and without anybody who reads the metrics,
/// memory would grow with every measurement.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Makes this process record metrics from now on; once, further calls do nothing. What is measured before is lost.
pub fn install() -> io::Result<()> {
    let installed = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| error.to_string())?;
        let folded = recorder.clone();
        let upkeep = move || {
            loop {
                park_timeout(UPKEEP);
                folded.run_upkeep();
            }
        };
        thread::Builder::new().name("metrics".to_owned()).spawn(upkeep).map_err(|error| error.to_string())?;
        Ok(recorder)
    });
    installed.as_ref().map(drop).map_err(|error| io::Error::other(error.clone()))
}

/// Everything that was measured, in Prometheus' text format.
pub fn text() -> String {
    RECORDER
        .get()
        .and_then(|recorder| recorder.as_ref().ok())
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}
