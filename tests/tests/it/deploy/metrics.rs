//! Alerts and dashboard ask for metrics and labels that running programs have.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use techsupport_bootstrap::monitor::ask;
use techsupport_tests::{Desk, ImportWorker, LIMIT, WorkerProcess, eventually, until};

use super::{promql::asked, *};

/// What Prometheus adds to whatever it reads.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// Every sample's name with the labels it has, and every value that a label was seen to have.
#[derive(Debug, Default)]
struct Known {
    labels: BTreeMap<String, BTreeSet<String>>,
    values: BTreeSet<(String, String, String)>,
}

impl Known {
    fn read(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (sample, _) = line.rsplit_once(' ').unwrap();
            let (name, inside) =
                sample.strip_suffix('}').map_or((sample, ""), |rest| rest.split_once('{').unwrap());
            let known = self.labels.entry(name.to_owned()).or_default();
            for pair in inside.split("\",").filter(|pair| !pair.is_empty()) {
                let (label, value) = pair.trim_end_matches('"').split_once("=\"").unwrap();
                known.insert(label.to_owned());
                self.values.insert((name.to_owned(), label.to_owned(), value.to_owned()));
            }
        }
    }

    /// What is wrong with a query, given also the labels that its answer is written about.
    fn objections(&self, query: &str, written: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        let asked = asked(query);
        let mut of_all: BTreeSet<&str> = OF_PROMETHEUS.into();
        for metric in &asked.metrics {
            let name = &metric.name;
            let Some(labels) = self.labels.get(name).or((name == "up").then_some(const { &BTreeSet::new() }))
            else {
                found.push(format!("there is no {name}"));
                continue;
            };
            of_all.extend(labels.iter().map(String::as_str));
            for label in &metric.labels {
                if !labels.contains(label) && !OF_PROMETHEUS.contains(&label.as_str()) {
                    found.push(format!("{name} has no label {label}"));
                }
            }
            for (label, value) in
                metric.values.iter().filter(|(label, _)| !OF_PROMETHEUS.contains(&label.as_str()))
            {
                if !self.values.contains(&(name.clone(), label.clone(), value.clone())) {
                    found.push(format!("{label} of {name} is never {value}"));
                }
            }
        }
        let grouped = asked.grouped_by.iter().chain(written);
        found.extend(
            grouped
                .filter(|label| !of_all.contains(label.as_str()))
                .map(|label| format!("nothing has a label {label}")),
        );
        found.into_iter().map(|what| format!("{what}: {query}")).collect()
    }
}

/// Names between braces, with what stands before them: `{{ $labels.queue }}`, `{{queue}}`.
fn written_labels(text: &str, before: &str) -> Vec<String> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split_once("}}"));
    inside.filter_map(|(inside, _)| inside.trim().strip_prefix(before)).map(str::to_owned).collect()
}

fn alerts() -> Vec<Value> {
    let groups = yaml("deploy/prometheus/alerts.yaml").remove(0);
    let groups = groups["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Queries with the labels that are written about them.
fn queries() -> Vec<(String, Vec<String>)> {
    let of_alerts = alerts().into_iter().map(|alert| {
        let summary = alert["annotations"]["summary"].as_str().unwrap().to_owned();
        (alert["expr"].as_str().unwrap().to_owned(), written_labels(&summary, "$labels."))
    });
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().clone();
    let targets =
        panels.into_iter().flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let of_panels = targets.map(|target| {
        let legend = target["legendFormat"].as_str().unwrap().to_owned();
        (target["expr"].as_str().unwrap().to_owned(), written_labels(&legend, ""))
    });
    of_alerts.chain(of_panels).collect()
}

/// Settings with which a worker can be asked how it is, on a port that nobody else has.
pub(super) const MONITORED: [(&str, &str); 2] = [("MONITOR__ENABLED", "true"), ("MONITOR__PORT", "0")];

/// Waits until a worker has written a line with this message.
fn line_of(log: &dyn Fn() -> Vec<String>, message: &str) -> Value {
    until(&format!("a line of a worker: {message}"), || {
        let lines = log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.into_iter().find(|line| line["msg"].as_str().is_some_and(|msg| msg.ends_with(message)))
    })
}

/// Where a worker with [`MONITORED`] listens.
pub(super) fn monitor_of(log: &dyn Fn() -> Vec<String>) -> SocketAddr {
    line_of(log, "telling of metrics and health")["address"].as_str().unwrap().parse().unwrap()
}

/// Waits until a worker has what it needs and counts everything that it ever will, and asks it for its probes and its
/// metrics.
fn metrics_of(worker: &str, log: &dyn Fn() -> Vec<String>) -> String {
    let address = monitor_of(log);
    line_of(log, "consuming");
    for path in kubernetes::worker_probes(worker) {
        said(address, &path);
    }
    said(address, "/metrics")
}

/// What it answers there, once it is well. As kubelet, which asks again: the servers may be slow for a moment.
fn said(address: SocketAddr, path: &str) -> String {
    until(&format!("a good answer of {path}"), || {
        ask(address, path, LIMIT).ok().filter(|(status, _)| *status == 200).map(|(_, body)| body)
    })
}

#[test]
fn alerts_and_dashboard_ask_for_what_there_is() {
    let desk = Desk::start();
    let worker = WorkerProcess::start_with(&desk, &MONITORED);
    let importer = ImportWorker::start_with(&desk, &MONITORED);
    desk.await_topology();
    let admin = desk.admin();
    let ticket = desk.ticket(&admin, "VIP");
    desk.age(ticket, 121);
    eventually("the breach was noticed", || desk.database().count("sla_steps") == 1);
    desk.anonymous().get("/health/ready").expect(200);
    // A step is measured once it is committed.
    let of_api = until("the lag of the breach", || {
        let text = desk.anonymous().get("/metrics").expect(200).body;
        text.contains("sla_detection_lag_seconds_bucket").then_some(text)
    });
    let mut known = Known::default();
    known.read(&of_api);
    known.read(&metrics_of("sla-worker", &|| worker.lines()));
    known.read(&metrics_of("import-worker", &|| importer.lines()));
    let queries = queries();
    assert!(queries.len() > 40, "{}", queries.len());
    let objections: Vec<String> =
        queries.iter().flat_map(|(query, written)| known.objections(query, written)).collect();
    assert!(objections.is_empty(), "{objections:#?}\n{:#?}", known.labels);
}

#[test]
fn a_query_for_something_else_is_noticed() {
    let mut known = Known::default();
    known.read("# HELP a b\na{x=\"1\",y=\"a,b=c\"} 3\nb 1e9\n");
    assert_eq!(known.labels["a"].len(), 2, "{known:?}");
    let wrong = |query: &str, written: &[&str]| {
        !known
            .objections(query, &written.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>())
            .is_empty()
    };
    assert!(!wrong("sum by (x, job) (a{x=\"1\"}) > b", &["x"]));
    assert!(wrong("c", &[]) && wrong("a{z=\"1\"}", &[]) && wrong("a{x=\"2\"}", &[]));
    assert!(wrong("sum by (z) (a)", &[]) && wrong("sum(a)", &["z"]));
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let manual = text("docs/operations.md");
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap().to_owned();
        assert!(manual.contains(&format!("\n#### {name}\n")), "docs/operations.md says nothing of {name}");
        assert!(matches!(alert["labels"]["severity"].as_str(), Some("page" | "ticket")), "{name}");
        assert!(names.insert(name), "{alert}");
    }
    let explained: BTreeSet<String> =
        manual.lines().filter_map(|line| line.strip_prefix("#### ")).map(str::to_owned).collect();
    assert_eq!(explained, names, "docs/operations.md explains alerts that are not there");
}

/// Whether they fire as these tests say is tried by `cargo xtask check alerts`.
#[test]
fn every_alert_has_a_case_in_which_it_fires() {
    let file = yaml("deploy/prometheus/alerts.test.yaml").remove(0);
    let cases =
        file["tests"].as_array().unwrap().iter().flat_map(|test| test["alert_rule_test"].as_array().unwrap());
    let firing = cases.filter(|case| !case["exp_alerts"].as_array().unwrap().is_empty());
    let tried: BTreeSet<&str> = firing.map(|case| case["alertname"].as_str().unwrap()).collect();
    let alerts = alerts();
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert["alert"].as_str().unwrap()).collect();
    assert_eq!(tried, names);
}
