//! What each report has to say, from the tickets as plain data: by counting, without SQL.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::Date;

use super::{
    STATUSES,
    history::{History, Ticket},
    written,
};

const MINUTE: i128 = 60_000_000;
const DAY: i64 = 86_400_000_000;

/// What is asked of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) source: Option<&'static str>,
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) tier: Option<&'static str>,
    pub(super) zone: &'static str,
}

impl Query {
    /// For the end of a path.
    pub(super) fn text(self) -> String {
        let members = [
            ("timeZone", Some(self.zone.to_owned())),
            ("source", self.source.map(str::to_owned)),
            ("from", self.from.map(written)),
            ("to", self.to.map(written)),
            ("clientType", self.tier.map(str::to_owned)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        given.collect::<Vec<_>>().join("&")
    }

    fn takes(self, ticket: &Ticket) -> bool {
        // A time with three decimals or fewer stands for the whole of its millisecond.
        let last = self.to.map(|to| if to % 1_000 == 0 { to + 999 } else { to });
        self.source.is_none_or(|source| source == ticket.source)
            && self.tier.is_none_or(|tier| tier == ticket.tier)
            && self.from.is_none_or(|from| ticket.created >= from)
            && last.is_none_or(|last| ticket.created <= last)
    }
}

impl History {
    /// The day on which it was created where the query is asked.
    fn day(&self, query: Query, ticket: &Ticket) -> Date {
        self.days[&(query.zone, ticket.created)]
    }

    fn wanted(&self, query: Query) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().filter(move |ticket| query.takes(ticket))
    }

    /// All reports but that of imports, by the last part of their paths.
    pub(super) fn reports(&self, query: Query, now: i64) -> [(&'static str, Vec<Value>); 6] {
        [
            ("avg-resolution", self.average_resolution(query)),
            ("escalated-per-month", self.escalated_per_month(query)),
            ("top-agents", self.top_agents(query)),
            ("weekly-status", self.weekly_status(query)),
            ("sla-compliance", self.compliance(query)),
            ("backlog", self.backlog(query, now)),
        ]
    }

    fn average_resolution(&self, query: Query) -> Vec<Value> {
        let mut took: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for ticket in self.wanted(query) {
            if let Some(resolved) = ticket.resolved {
                took.entry(ticket.tier).or_default().push(resolved - ticket.created);
            }
        }
        let row = |(tier, took): (&str, Vec<i64>)| {
            json!({
                "clientType": tier, "avgResolutionMinutes": mean(&took), "p50": percentile(&took, 5),
                "p90": percentile(&took, 9), "tickets": took.len(), "_id": tier,
            })
        };
        took.into_iter().map(row).collect()
    }

    fn escalated_per_month(&self, query: Query) -> Vec<Value> {
        let mut count: BTreeMap<(i32, u8), u32> = BTreeMap::new();
        for ticket in self.wanted(query).filter(|ticket| ticket.level > 0 || ticket.status == "ESCALATED") {
            let day = self.day(query, ticket);
            *count.entry((day.year(), u8::from(day.month()))).or_default() += 1;
        }
        let row = |((year, month), count): ((i32, u8), u32)| json!({"year": year, "month": month, "count": count, "_id": {"year": year, "month": month}});
        count.into_iter().map(row).collect()
    }

    fn top_agents(&self, query: Query) -> Vec<Value> {
        let mut took: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for ticket in self.wanted(query) {
            if let (Some(resolved), Some(agent)) = (ticket.resolved, &ticket.agent) {
                took.entry(agent).or_default().push(resolved - ticket.created);
            }
        }
        let mut agents: Vec<(&str, Vec<i64>)> = took.into_iter().collect();
        let sum = |took: &[i64]| took.iter().map(|us| i128::from(*us)).sum::<i128>();
        let count = |took: &[i64]| i128::try_from(took.len()).unwrap();
        agents.sort_by(|(a, of_a), (b, of_b)| {
            // As fractions, which are exact.
            let (left, right) = (sum(of_a) * count(of_b), sum(of_b) * count(of_a));
            left.cmp(&right).then(count(of_b).cmp(&count(of_a))).then(a.cmp(b))
        });
        let row = |(agent, took): (&str, Vec<i64>)| {
            json!({
                "agentId": agent, "name": self.agents.get(agent), "avgResolution": mean(&took),
                "tickets": took.len(), "_id": agent,
            })
        };
        agents.into_iter().map(row).collect()
    }

    fn weekly_status(&self, query: Query) -> Vec<Value> {
        let mut count: BTreeMap<(i32, u8, usize), u32> = BTreeMap::new();
        for ticket in self.wanted(query) {
            let (year, week, _) = self.day(query, ticket).to_iso_week_date();
            *count.entry((year, week, place(ticket.status))).or_default() += 1;
        }
        let row = |((year, week, status), count): ((i32, u8, usize), u32)| {
            let status = STATUSES[status];
            json!({
                "year": year, "week": week, "status": status, "count": count,
                "_id": {"week": week, "status": status},
            })
        };
        count.into_iter().map(row).collect()
    }

    fn compliance(&self, query: Query) -> Vec<Value> {
        #[derive(Default)]
        struct Group {
            met: u32,
            breached: u32,
            counted: Vec<i64>,
        }
        let mut groups: BTreeMap<(i32, u8, bool, &str), Group> = BTreeMap::new();
        for ticket in self.wanted(query) {
            let day = self.day(query, ticket);
            for clock in &ticket.clocks {
                let key = (day.year(), u8::from(day.month()), ticket.tier != "VIP", clock.metric);
                let group = groups.entry(key).or_default();
                group.met += u32::from(clock.stopped && !clock.breached);
                group.breached += u32::from(clock.breached);
                group.counted.extend(clock.stopped.then_some(clock.consumed));
            }
        }
        let row = |((year, month, is_normal, metric), group): ((i32, u8, bool, &str), Group)| {
            let all = group.met + group.breached;
            // In tenths, half up.
            let tenths = (2_000 * group.met + all) / (2 * all);
            let of_counted = |tenths| (!group.counted.is_empty()).then(|| percentile(&group.counted, tenths));
            json!({
                "year": year, "month": month, "clientType": if is_normal { "NORMAL" } else { "VIP" }, "metric": metric,
                "met": group.met, "breached": group.breached, "compliancePercent": f64::from(tenths) / 10.0,
                "medianMinutes": of_counted(5), "p90Minutes": of_counted(9),
            })
        };
        groups.into_iter().filter(|(_, group)| group.met + group.breached > 0).map(row).collect()
    }

    fn backlog(&self, query: Query, now: i64) -> Vec<Value> {
        const AGES: [(&str, i64); 5] = [
            ("UNDER_1_DAY", 1),
            ("UNDER_3_DAYS", 3),
            ("UNDER_7_DAYS", 7),
            ("UNDER_30_DAYS", 30),
            ("FROM_30_DAYS", i64::MAX / DAY),
        ];
        let mut count: BTreeMap<(usize, bool, usize), u32> = BTreeMap::new();
        for ticket in self.wanted(query).filter(|ticket| !matches!(ticket.status, "RESOLVED" | "CLOSED")) {
            let age = AGES.iter().position(|(_, days)| now - ticket.created < days * DAY).unwrap();
            *count.entry((place(ticket.status), ticket.tier != "VIP", age)).or_default() += 1;
        }
        let row = |((status, is_normal, age), count): ((usize, bool, usize), u32)| {
            json!({
                "status": STATUSES[status], "clientType": if is_normal { "NORMAL" } else { "VIP" },
                "age": AGES[age].0, "tickets": count,
            })
        };
        count.into_iter().map(row).collect()
    }
}

fn place(status: &str) -> usize {
    STATUSES.iter().position(|known| *known == status).unwrap()
}

/// Whole minutes, half up, of a fraction of microseconds.
fn minutes(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + MINUTE * denominator).div_euclid(2 * MINUTE * denominator)
}

fn mean(took: &[i64]) -> i128 {
    minutes(took.iter().map(|us| i128::from(*us)).sum(), i128::try_from(took.len()).unwrap())
}

/// Between the two durations at whose places in the order it lies, as far as it lies between them.
fn percentile(took: &[i64], tenths: usize) -> i128 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let place = tenths * (sorted.len() - 1);
    let (low, part) = (i128::from(sorted[place / 10]), i128::try_from(place % 10).unwrap());
    let high = i128::from(sorted[(place / 10 + 1).min(sorted.len() - 1)]);
    minutes(low * 10 + (high - low) * part, 10)
}
