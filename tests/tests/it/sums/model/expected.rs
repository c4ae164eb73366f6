//! What reports have to say, ticket by ticket.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use techsupport_application::ports::{
    AgeBucket, AgentSpeed, AverageResolution, BacklogCount, Compliance, EscalatedInMonth, ReportFilter,
    StatusInWeek,
};
use techsupport_domain::{ClientTier, sla::Metric, ticket::Status};
use uuid::Uuid;

use super::{DAY, Desk, Ticket};

/// Whole minutes of a fraction of microseconds, half up.
fn minutes(us: i128, parts: i128) -> i64 {
    let (whole, rest) = (us.div_euclid(parts * 60_000_000), us.rem_euclid(parts * 60_000_000));
    i64::try_from(if 2 * rest >= parts * 60_000_000 { whole + 1 } else { whole }).unwrap()
}

fn mean(durations: &[i64]) -> i64 {
    minutes(durations.iter().map(|us| i128::from(*us)).sum(), i128::try_from(durations.len()).unwrap())
}

/// As `percentile_cont`, in tenths.
fn percentile(durations: &[i64], tenths: usize) -> i64 {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let place = tenths * (sorted.len() - 1);
    let (below, beyond) = (place / 10, i128::try_from(place % 10).unwrap());
    let above = if beyond > 0 { sorted[below + 1] } else { sorted[below] };
    let below = i128::from(sorted[below]);
    minutes(below * 10 + (i128::from(above) - below) * beyond, 10)
}

fn date(us: i64, zone: &str) -> Date {
    Timestamp::from_microsecond(us).unwrap().to_zoned(TimeZone::get(zone).unwrap()).date()
}

fn month(us: i64, zone: &str) -> (i32, u8) {
    let date = date(us, zone);
    (date.year().into(), date.month().unsigned_abs())
}

fn duration(ticket: &Ticket) -> Option<i64> {
    ticket.resolved.map(|resolved| resolved - ticket.created)
}

pub(in crate::sums) fn average_resolution(desk: &Desk, filter: &ReportFilter) -> Vec<AverageResolution> {
    let mut tiers: BTreeMap<&str, (ClientTier, Vec<i64>)> = BTreeMap::new();
    for ticket in desk.tickets(filter) {
        if let Some(us) = duration(ticket) {
            tiers.entry(ticket.tier.name()).or_insert((ticket.tier, Vec::new())).1.push(us);
        }
    }
    let row = |(tier, durations): (ClientTier, Vec<i64>)| AverageResolution {
        tier,
        mean_minutes: mean(&durations),
        p50_minutes: percentile(&durations, 5),
        p90_minutes: percentile(&durations, 9),
        tickets: i64::try_from(durations.len()).unwrap(),
    };
    tiers.into_values().map(row).collect()
}

pub(in crate::sums) fn escalated_per_month(
    desk: &Desk,
    filter: &ReportFilter,
    zone: &str,
) -> Vec<EscalatedInMonth> {
    let mut months: BTreeMap<(i32, u8), i64> = BTreeMap::new();
    for ticket in desk.tickets(filter) {
        if ticket.level > 0 || ticket.status == Status::Escalated {
            *months.entry(month(ticket.created, zone)).or_default() += 1;
        }
    }
    let row = |((year, month), tickets)| EscalatedInMonth { year, month, tickets };
    months.into_iter().map(row).collect()
}

pub(in crate::sums) fn weekly_status(desk: &Desk, filter: &ReportFilter, zone: &str) -> Vec<StatusInWeek> {
    let mut weeks: BTreeMap<(i32, u8, usize), i64> = BTreeMap::new();
    for ticket in desk.tickets(filter) {
        let week = date(ticket.created, zone).iso_week_date();
        let status = Status::ALL.iter().position(|status| *status == ticket.status).unwrap();
        *weeks.entry((week.year().into(), week.week().unsigned_abs(), status)).or_default() += 1;
    }
    let row =
        |((year, week, status), tickets)| StatusInWeek { year, week, status: Status::ALL[status], tickets };
    weeks.into_iter().map(row).collect()
}

pub(in crate::sums) fn top_agents(desk: &Desk, filter: &ReportFilter, limit: usize) -> Vec<AgentSpeed> {
    let mut agents: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for ticket in desk.tickets(filter) {
        if let (Some(agent), Some(us)) = (&ticket.agent, duration(ticket)) {
            let known = Uuid::parse_str(agent).map(|id| id.to_string());
            agents.entry(known.unwrap_or_else(|_| agent.clone())).or_default().push(us);
        }
    }
    let mut agents: Vec<(String, Vec<i64>)> = agents.into_iter().collect();
    agents.sort_by(|(one_id, one), (other_id, other)| {
        let sum = |durations: &[i64]| durations.iter().map(|us| i128::from(*us)).sum::<i128>();
        let count = |durations: &[i64]| i128::try_from(durations.len()).unwrap();
        (sum(one) * count(other))
            .cmp(&(sum(other) * count(one)))
            .then(other.len().cmp(&one.len()))
            .then(one_id.cmp(other_id))
    });
    let row = |(agent, durations): (String, Vec<i64>)| AgentSpeed {
        name: Uuid::parse_str(&agent).ok().and_then(|id| desk.agents.get(&id).cloned()),
        agent,
        mean_minutes: mean(&durations),
        tickets: i64::try_from(durations.len()).unwrap(),
    };
    agents.into_iter().take(limit).map(row).collect()
}

pub(in crate::sums) fn compliance(desk: &Desk, filter: &ReportFilter, zone: &str) -> Vec<Compliance> {
    /// How many were met and breached, and the time counted.
    type Group = (i64, i64, Vec<i64>);
    let mut groups: BTreeMap<((i32, u8), ClientTier, Metric), Group> = BTreeMap::new();
    for ticket in desk.tickets(filter) {
        for clock in &ticket.clocks {
            let key = (month(ticket.created, zone), ticket.tier, clock.metric);
            let (met, breached, counted) = groups.entry(key).or_default();
            *met += i64::from(clock.stopped && !clock.breached);
            *breached += i64::from(clock.breached);
            if clock.stopped {
                counted.push(clock.consumed);
            }
        }
    }
    groups.retain(|_, (met, breached, _)| *met + *breached > 0);
    let row = |(((year, month), tier, metric), (met, breached, counted)): (_, Group)| {
        let of = |tenths| (!counted.is_empty()).then(|| percentile(&counted, tenths));
        Compliance { year, month, tier, metric, met, breached, median_minutes: of(5), p90_minutes: of(9) }
    };
    groups.into_iter().map(row).collect()
}

pub(in crate::sums) fn backlog(desk: &Desk, filter: &ReportFilter) -> Vec<BacklogCount> {
    let mut counts: BTreeMap<(usize, ClientTier, AgeBucket), i64> = BTreeMap::new();
    for ticket in desk.tickets(filter).filter(|ticket| !ticket.status.is_answered()) {
        let status = Status::ALL.iter().position(|status| *status == ticket.status).unwrap();
        let age = match (desk.now - ticket.created) / DAY {
            ..1 => AgeBucket::Under1Day,
            1..3 => AgeBucket::Under3Days,
            3..7 => AgeBucket::Under7Days,
            7..30 => AgeBucket::Under30Days,
            30.. => AgeBucket::From30Days,
        };
        *counts.entry((status, ticket.tier, age)).or_default() += 1;
    }
    let row =
        |((status, tier, age), tickets)| BacklogCount { status: Status::ALL[status], tier, age, tickets };
    counts.into_iter().map(row).collect()
}
