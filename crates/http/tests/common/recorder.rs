//! What the composition root does in a program: one recorder a process.

use std::sync::LazyLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let every_duration = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(every_duration, &[1.0]).unwrap();
    let recorder = builder.install_recorder().unwrap();
    techsupport_http::describe_metrics();
    recorder
});

pub fn install() {
    LazyLock::force(&RECORDER);
}

pub fn text() -> String {
    RECORDER.render()
}
