//! The result, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::round::Summary;

/// One route.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) route: &'static str,
    pub(super) http: Summary,
    pub(super) pgbench: Summary,
    /// Our throughput divided by pgbench's.
    pub(super) ratio: f64,
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) tickets: u32,
    pub(super) connections: u32,
    pub(super) seconds: u64,
    pub(super) rounds: usize,
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn failures(&self) -> u64 {
        self.rows.iter().map(|row| row.http.failures + row.pgbench.failures).sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} tickets, {} connections, medians of {} rounds of {} s on each side, alternating\n",
            self.tickets, self.connections, self.rounds, self.seconds
        )?;
        writeln!(
            f,
            "{:<32}{:<9}{:>10}{:>10}{:>10}{:>10}{:>8}",
            "", "", "per s", "p50 ms", "p99 ms", "failures", "ratio"
        )?;
        for Row { route, http, pgbench, ratio } in &self.rows {
            writeln!(f, "{route:<32}{}{ratio:>8.2}", side("http", http))?;
            writeln!(f, "{:<32}{}", "", side("pgbench", pgbench))?;
        }
        for row in &self.rows {
            for example in [&row.http.example, &row.pgbench.example].into_iter().flatten() {
                writeln!(f, "failed: {}: {}", row.route, example.chars().take(300).collect::<String>())?;
            }
        }
        Ok(())
    }
}

fn side(name: &str, summary: &Summary) -> String {
    let Summary { per_second, p50_ms, p99_ms, failures, .. } = summary;
    format!("{name:<9}{per_second:>10.0}{p50_ms:>10.2}{p99_ms:>10.2}{failures:>10}")
}
