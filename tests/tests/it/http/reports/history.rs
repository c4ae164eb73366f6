//! Tickets at random: in the database, and as plain data beside it.

use std::collections::HashMap;

use jiff::civil::date;
use rand::{RngExt, rngs::ChaCha12Rng};
use techsupport_tests::{Desk, ImportWorker};
use time::{Date, OffsetDateTime};
use uuid::Uuid;
use xtask::sheets::Row;

use super::{STATUSES, ZONES, written, zone};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// A ticket, as far as reports look at it. Times are microseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) source: &'static str,
    pub(super) tier: &'static str,
    pub(super) status: &'static str,
    pub(super) level: i16,
    /// As it is to be told.
    pub(super) agent: Option<String>,
    pub(super) created: i64,
    pub(super) resolved: Option<i64>,
    pub(super) clocks: Vec<Clock>,
}

#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) metric: &'static str,
    pub(super) stopped: bool,
    pub(super) breached: bool,
    pub(super) consumed: i64,
}

/// All tickets that count.
pub(super) struct History {
    pub(super) tickets: Vec<Ticket>,
    /// Names by id.
    pub(super) agents: HashMap<String, String>,
    /// Days by zone and moment, as PostgreSQL has them, which knows the zones from elsewhere than the program.
    pub(super) days: HashMap<(&'static str, i64), Date>,
    agent_ids: Vec<Uuid>,
    clients: [Uuid; 2],
    moments: Vec<i64>,
}

/// Where months, weeks, years and days with a change of clocks begin somewhere, and a microsecond to both sides.
pub(super) fn boundaries() -> Vec<i64> {
    let mut days = vec![date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31), date(2020, 12, 28)];
    days.extend([date(2021, 1, 4), date(2024, 3, 10), date(2024, 3, 31), date(2024, 10, 27)]);
    days.extend([date(2024, 11, 3), date(2024, 12, 30), date(2025, 1, 6)]);
    days.extend([(2020, 12), (2021, 1), (2021, 2), (2024, 1), (2024, 2), (2024, 3), (2024, 4)].map(first));
    days.extend([(2024, 10), (2024, 11), (2025, 1)].map(first));
    let mut moments = Vec::new();
    for name in ZONES {
        for day in &days {
            let midnight = day.to_zoned(zone(name)).unwrap().timestamp().as_microsecond();
            moments.extend([midnight - 1, midnight, midnight + 1]);
        }
    }
    moments
}

fn first((year, month): (i16, i8)) -> jiff::civil::Date {
    date(year, month, 1)
}

impl History {
    /// No tickets yet, but whom they are for and who works on them.
    pub(super) fn begin(desk: &Desk) -> Self {
        let admin = desk.admin();
        let agent_ids: Vec<Uuid> = (1..=3).map(|level| desk.agent_of(&admin, level)).collect();
        let agents = agent_ids.iter().map(|id| (id.to_string(), "Luis".to_owned())).collect();
        let clients = [desk.client_of(&admin, "VIP"), desk.client_of(&admin, "NORMAL")];
        Self { tickets: Vec::new(), days: HashMap::new(), agents, agent_ids, clients, moments: boundaries() }
    }

    /// Opens so many tickets on the desk, and one more that is deleted for every tenth.
    pub(super) fn open(&mut self, desk: &Desk, dice: &mut ChaCha12Rng, count: u32) {
        let mut database = desk.database().connect();
        let mut transaction = database.transaction().unwrap();
        for n in 0..count {
            let ticket = self.live(dice, n);
            insert(&mut transaction, &ticket, self.clients, false);
            if n % 10 == 0 {
                insert(&mut transaction, &ticket, self.clients, true);
            }
            self.tickets.push(ticket);
        }
        transaction.commit().unwrap();
        self.look_up_days(desk);
    }

    /// Imports so many tickets from a file; then a second file tells other things of every third of them.
    pub(super) fn import(&mut self, desk: &Desk, dice: &mut ChaCha12Rng, count: usize) {
        let _worker = ImportWorker::start(desk);
        let (mut rows, mut tickets) = (Vec::new(), Vec::new());
        for n in 0..count {
            let (row, ticket) = self.imported(dice, n);
            rows.push(row);
            tickets.push(ticket);
        }
        load(desk, &rows);
        let mut later = Vec::new();
        for n in (0..count).step_by(3) {
            let (row, ticket) = self.imported(dice, n);
            later.push(row);
            tickets[n] = ticket;
        }
        load(desk, &later);
        self.tickets.extend(tickets);
        self.look_up_days(desk);
    }

    fn look_up_days(&mut self, desk: &Desk) {
        let mut database = desk.database().connect();
        let moments: Vec<OffsetDateTime> = self.tickets.iter().map(|ticket| at(ticket.created)).collect();
        for zone in ZONES {
            let sql = "SELECT (at AT TIME ZONE $2)::date FROM unnest($1::timestamptz[]) WITH ORDINALITY AS m (at, n) ORDER BY n";
            let days = database.query(sql, &[&moments, &zone]).unwrap();
            let days =
                self.tickets.iter().zip(days).map(|(ticket, row)| ((zone, ticket.created), row.get(0)));
            self.days.extend(days);
        }
    }

    /// The first few are of today, an hour away from where one age ends and the next begins.
    fn created(&self, dice: &mut ChaCha12Rng, n: u32) -> i64 {
        const AGES_H: [i64; 9] = [-5, 1, 23, 25, 71, 73, 167, 721, 719];
        match AGES_H.get(usize::try_from(n).unwrap()) {
            Some(hours) => now() - hours * HOUR,
            None if dice.random_range(0..3) > 0 => self.moments[dice.random_range(0..self.moments.len())],
            None => dice.random_range(1_606_780_800_000_000..1_614_556_800_000_000),
        }
    }

    fn live(&self, dice: &mut ChaCha12Rng, n: u32) -> Ticket {
        let created = self.created(dice, n);
        let status = STATUSES[dice.random_range(0..6)];
        let is_answered = matches!(status, "RESOLVED" | "CLOSED");
        let agent = dice.random_range(0..4_usize);
        Ticket {
            source: "live",
            tier: tier(dice),
            status,
            level: dice.random_range(0..4_i16).saturating_sub(2).max(0),
            agent: self.agent_ids.get(agent).map(Uuid::to_string),
            created,
            resolved: is_answered.then(|| created + duration(dice)),
            clocks: ["FIRST_RESPONSE", "RESOLUTION"].map(|metric| clock(dice, metric)).into(),
        }
    }

    fn imported(&self, dice: &mut ChaCha12Rng, n: usize) -> (Row, Ticket) {
        let created = self.created(dice, u32::try_from(n).unwrap());
        let status = STATUSES[dice.random_range(0..6)];
        let is_resolved = matches!(status, "RESOLVED" | "CLOSED") || dice.random_range(0..5) == 0;
        let resolved = is_resolved.then(|| created + duration(dice));
        let of_desk = self.agent_ids[dice.random_range(0..3_usize)].to_string();
        let agent = match dice.random_range(0..7) {
            0 => String::new(),
            1 => of_desk,
            2 => of_desk.to_uppercase(),
            3 => "0A0B0C0D-0000-7000-8000-00000000000F".to_owned(),
            4 => "0A0B0C0D-0000-7000-8000-00000000000".to_owned(),
            5 => "=Nobody".to_owned(),
            _ => "agent-7".to_owned(),
        };
        let (tier, level) = (tier(dice), dice.random_range(0..4_i16).saturating_sub(2).max(0));
        let row = [
            format!("t-{n}"),
            "c-1".to_owned(),
            tier.to_owned(),
            written(created),
            resolved.map(written).unwrap_or_default(),
            agent.clone(),
            level.to_string(),
            status.to_owned(),
        ];
        let told = if agent.len() == 36 { agent.to_lowercase() } else { agent };
        let agent = Some(told).filter(|agent| !agent.is_empty());
        let clocks = Vec::new();
        (row, Ticket { source: "imported", tier, status, level, agent, created, resolved, clocks })
    }
}

fn at(us: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1_000).unwrap()
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "tickets of today")]
    let now = OffsetDateTime::now_utc();
    i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap()
}

fn tier(dice: &mut ChaCha12Rng) -> &'static str {
    ["VIP", "NORMAL"][dice.random_range(0..2_usize)]
}

/// Often one that is as near as can be to where minutes are rounded.
fn duration(dice: &mut ChaCha12Rng) -> i64 {
    match dice.random_range(0..6) {
        0 => 0,
        1 => MINUTE / 2,
        2 => MINUTE / 2 - 1,
        3 => dice.random_range(0..MINUTE),
        _ => dice.random_range(0..40 * 24 * HOUR),
    }
}

fn clock(dice: &mut ChaCha12Rng, metric: &'static str) -> Clock {
    Clock { metric, stopped: dice.random(), breached: dice.random_range(0..3) == 0, consumed: duration(dice) }
}

fn load(desk: &Desk, rows: &[Row]) {
    let file = xtask::sheets::csv(rows.iter().cloned());
    let ended = desk.await_import(desk.request_import("history.csv", file.as_bytes()));
    assert_eq!((ended.failed, ended.processed), (0, u32::try_from(rows.len()).unwrap()), "{ended:?}");
}

fn insert(database: &mut postgres::Transaction<'_>, ticket: &Ticket, clients: [Uuid; 2], is_deleted: bool) {
    let (id, is_vip) = (Uuid::from_u128(rand::random()), ticket.tier == "VIP");
    let (created, resolved) = (at(ticket.created), ticket.resolved.map(at));
    let agent: Option<Uuid> = ticket.agent.as_ref().map(|agent| agent.parse().unwrap());
    let sql = "INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, agent_id, \
                   escalation_level, created_at, updated_at, resolved_at, deleted_at) \
               VALUES ($1, nextval('ticket_numbers'), 1, 'Broken', 'It is.', $2, 2, $3, $4, $5, $6, $6, $7, \
                   CASE WHEN $8 THEN now() END)";
    let client = clients[usize::from(!is_vip)];
    database
        .execute(
            sql,
            &[&id, &ticket.status, &client, &agent, &ticket.level, &created, &resolved, &is_deleted],
        )
        .unwrap();
    for clock in &ticket.clocks {
        let policy: Uuid =
            format!("01976f00-0000-7000-8000-00000000001{}", if is_vip { 1 } else { 2 }).parse().unwrap();
        let sql = "INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, running_since, stopped_at, \
                       consumed_us, due_at, steps_run, breached_at) \
                   VALUES ($1, $2, $3, 1, $4, CASE WHEN NOT $5 THEN $4::timestamptz END, CASE WHEN $5 THEN $4::timestamptz END, $6, $4, '{}', \
                       CASE WHEN $7 THEN $4::timestamptz END)";
        database
            .execute(
                sql,
                &[&id, &clock.metric, &policy, &created, &clock.stopped, &clock.consumed, &clock.breached],
            )
            .unwrap();
    }
}
