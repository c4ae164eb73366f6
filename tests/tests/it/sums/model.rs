//! Tickets in the database and, beside it, in memory; and what reports have to say of those in memory.

pub(super) mod expected;

use std::collections::BTreeMap;

use rand::{RngExt, rngs::ChaCha12Rng};
use techsupport_application::ports::{ReportFilter, Source};
use techsupport_domain::{ClientTier, sla::Metric, ticket::Status};
use techsupport_tests::TestDatabase;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ZONES, one_of};

/// A day, in microseconds.
pub(super) const DAY: i64 = 86_400_000_000;

/// Times are microseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) source: Source,
    pub(super) tier: ClientTier,
    pub(super) status: Status,
    pub(super) level: i16,
    pub(super) agent: Option<String>,
    pub(super) created: i64,
    pub(super) resolved: Option<i64>,
    pub(super) deleted: bool,
    pub(super) clocks: Vec<Clock>,
}

#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) metric: Metric,
    pub(super) stopped: bool,
    pub(super) breached: bool,
    pub(super) consumed: i64,
}

impl Ticket {
    pub(super) fn is_in(&self, filter: &ReportFilter) -> bool {
        let us = |at: OffsetDateTime| i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap();
        !self.deleted
            && filter.source.is_none_or(|source| source == self.source)
            && filter.tier.is_none_or(|tier| tier == self.tier)
            && filter.from.is_none_or(|from| self.created >= us(from))
            && filter.to.is_none_or(|to| self.created <= us(to))
    }
}

pub(super) struct Desk<'d> {
    database: &'d TestDatabase,
    clients: [Uuid; 2],
    pub(super) agents: BTreeMap<Uuid, String>,
    live: Vec<Ticket>,
    imported: BTreeMap<String, Ticket>,
    /// When it was made: ages are far enough from their limits for a test that takes an hour.
    pub(super) now: i64,
}

impl<'d> Desk<'d> {
    pub(super) fn new(database: &'d TestDatabase) -> Self {
        let clients = ClientTier::ALL.map(|tier| {
            let id = Uuid::from_u128(0xc0 + tier as u128);
            database.execute(
                "INSERT INTO clients (id, name, email, email_folded, tier, company) \
                 VALUES ($1, 'C', $2, $2, $2, 'Co')",
                &[&id, &tier.name()],
            );
            id
        });
        let agents: BTreeMap<Uuid, String> =
            (0..4_u128).map(|n| (Uuid::from_u128(0x00ab_cdef << 100 | n), format!("Agent {n}"))).collect();
        for (id, name) in &agents {
            database.execute(
                "INSERT INTO agents (id, name, email, email_folded, level, active) VALUES ($1, $2, $2, $2, 1, true)",
                &[id, name],
            );
        }
        let now: OffsetDateTime = database.one("SELECT now()", &[]);
        let now = i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap();
        Self { database, clients, agents, live: Vec::new(), imported: BTreeMap::new(), now }
    }

    pub(super) fn tickets(&self, filter: &ReportFilter) -> impl Iterator<Item = &Ticket> {
        self.live.iter().chain(self.imported.values()).filter(|ticket| ticket.is_in(filter))
    }

    /// When some ticket was created.
    pub(super) fn some_time(&self, chance: &mut ChaCha12Rng) -> i64 {
        let count = self.live.len() + self.imported.len();
        let all = self.live.iter().chain(self.imported.values());
        all.map(|ticket| ticket.created).nth(chance.random_range(0..count.max(1))).unwrap_or(self.now)
    }

    /// Often where something begins or ends: a month or a week of a zone, an hour, an age.
    fn time(&self, chance: &mut ChaCha12Rng) -> i64 {
        let zone = jiff::tz::TimeZone::get(one_of(chance, &ZONES)).unwrap();
        let begins =
            |date: jiff::civil::Date| date.to_zoned(zone.clone()).unwrap().timestamp().as_microsecond();
        let year = chance.random_range(2_008..2_013);
        let beside = chance.random_range(-1..=1);
        match chance.random_range(0..8) {
            0 => begins(jiff::civil::date(year, chance.random_range(1..=12), 1)) + beside,
            1 => begins(jiff::civil::date(year, 1, 1)) + chance.random_range(-7 * DAY..7 * DAY),
            2 => {
                let day = jiff::civil::date(year, 1, 1).iso_week_date();
                let monday = jiff::civil::ISOWeekDate::new(
                    day.year(),
                    chance.random_range(1..=52),
                    jiff::civil::Weekday::Monday,
                );
                begins(monday.unwrap().date()) + beside
            }
            // Newfoundland, where a month began twice; Samoa, where a day is missing.
            3 => 1_257_042_000_000_000 + chance.random_range(0..90 * 60_000_000),
            4 => 1_325_239_200_000_000 + chance.random_range(-DAY..DAY),
            5 => self.now - chance.random_range(0..40) * DAY - DAY / 2,
            6 => (self.now - chance.random_range(0..1_000) * DAY) / 3_600_000_000 * 3_600_000_000 + beside,
            _ => self.now - chance.random_range(0..3_000 * DAY) - DAY / 2,
        }
    }

    fn ticket(&self, chance: &mut ChaCha12Rng, source: Source) -> Ticket {
        let mut created = self.time(chance);
        // Within each of the ages: nothing grows older than a limit while the test runs.
        for limit in [1, 3, 7, 30] {
            if (self.now - created - limit * DAY).abs() < DAY / 10 {
                created -= DAY / 5;
            }
        }
        let status = one_of(chance, &Status::ALL);
        let long = match chance.random_range(0..4) {
            0 => chance.random_range(0..3_600_000_000),
            1 => chance.random_range(0..200) * 30_000_000,
            2 => chance.random_range(0..400 * DAY),
            _ => chance.random_range(0..12 * DAY),
        };
        let known = one_of(chance, &self.agents.keys().copied().collect::<Vec<_>>());
        let agent = match (chance.random_range(0..5), source) {
            (0, _) => None,
            (1 | 2, Source::Imported) => Some(one_of(chance, &["anna", "Anna", "bob", "7", "é"]).to_owned()),
            (3, Source::Imported) => Some(known.to_string().to_uppercase()),
            _ => Some(known.to_string()),
        };
        let clocks = [Metric::FirstResponse, Metric::Resolution].map(|metric| Clock {
            metric,
            stopped: chance.random_bool(0.7),
            breached: chance.random_bool(0.3),
            consumed: chance.random_range(0..200) * 15_000_000,
        });
        let resolved = status.is_answered().then_some(created + long);
        Ticket {
            source,
            tier: one_of(chance, &ClientTier::ALL),
            status,
            level: i16::from(chance.random_bool(0.3)),
            agent,
            created,
            resolved,
            deleted: source == Source::Live && chance.random_bool(0.1),
            clocks: if source == Source::Live { clocks.to_vec() } else { Vec::new() },
        }
    }

    pub(super) fn enter_live(&mut self, chance: &mut ChaCha12Rng, count: usize) {
        let mut connection = self.database.connect();
        let mut writing = connection.transaction().unwrap();
        let time = |us: i64| super::at(us);
        for number in 0..count {
            let ticket = self.ticket(chance, Source::Live);
            let id = Uuid::from_u128(u128::try_from(number).unwrap() + 1);
            let client = self.clients[ticket.tier as usize];
            let agent = ticket.agent.as_ref().map(|id| Uuid::parse_str(id).unwrap());
            let deleted = ticket.deleted.then(|| time(self.now));
            writing
                .execute(
                    "INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, \
                         agent_id, escalation_level, created_at, updated_at, resolved_at, deleted_at) \
                     VALUES ($1, $2, 1, 'Title', 'Description', $3, 2, $4, $5, $6, $7, $7, $8, $9)",
                    &[
                        &id,
                        &i64::try_from(number).unwrap(),
                        &ticket.status.name(),
                        &client,
                        &agent,
                        &ticket.level,
                        &time(ticket.created),
                        &ticket.resolved.map(time),
                        &deleted,
                    ],
                )
                .unwrap();
            for clock in &ticket.clocks {
                let at = time(ticket.created);
                let (stopped, runs) = (clock.stopped.then_some(at), (!clock.stopped).then_some(at));
                writing
                    .execute(
                        "INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, stopped_at, \
                             running_since, consumed_us, due_at, steps_run, breached_at) \
                         SELECT $1, $2, id, 1, $3, $4, $5, $6, $3, '{}', $7 FROM sla_policy_versions LIMIT 1",
                        &[
                            &id,
                            &clock.metric.name(),
                            &at,
                            &stopped,
                            &runs,
                            &clock.consumed,
                            &clock.breached.then_some(at),
                        ],
                    )
                    .unwrap();
            }
            self.live.push(ticket);
        }
        writing.commit().unwrap();
    }

    pub(super) fn import(&mut self, chance: &mut ChaCha12Rng, count: usize) {
        let first = self.imported.len();
        let keys = (first..first + count).map(|n| format!("T{n}-{}", chance.random_range(0..u32::MAX)));
        let keys: Vec<String> = keys.collect();
        self.write(chance, &keys);
    }

    /// Tickets that are there, with other facts; some with the same.
    pub(super) fn import_again(&mut self, chance: &mut ChaCha12Rng, count: usize) {
        let known: Vec<String> = self.imported.keys().cloned().collect();
        let mut keys: Vec<String> =
            (0..count).map(|_| known[chance.random_range(0..known.len())].clone()).collect();
        keys.sort();
        keys.dedup();
        self.write(chance, &keys);
    }

    fn write(&mut self, chance: &mut ChaCha12Rng, keys: &[String]) {
        let mut connection = self.database.connect();
        for chunk in keys.chunks(250) {
            let mut writing = connection.transaction().unwrap();
            for key in chunk {
                let ticket = match self.imported.get(key) {
                    Some(same) if chance.random_bool(0.2) => same.clone(),
                    _ => self.ticket(chance, Source::Imported),
                };
                writing
                    .execute(
                        "INSERT INTO imported_tickets (ticket_id, client_id, client_type, status, escalation_level, \
                             agent_id, created_at, resolved_at, import_number, sheet_row) \
                         VALUES ($1, 'c', $2, $3, $4, $5, $6, $7, 1, 2) \
                         ON CONFLICT (ticket_id) DO UPDATE SET client_type = excluded.client_type, \
                             status = excluded.status, escalation_level = excluded.escalation_level, \
                             agent_id = excluded.agent_id, created_at = excluded.created_at, \
                             resolved_at = excluded.resolved_at",
                        &[
                            key,
                            &ticket.tier.name(),
                            &ticket.status.name(),
                            &ticket.level,
                            &ticket.agent,
                            &super::at(ticket.created),
                            &ticket.resolved.map(super::at),
                        ],
                    )
                    .unwrap();
                self.imported.insert(key.clone(), ticket);
            }
            writing.commit().unwrap();
        }
    }

    pub(super) fn remove_imported(&mut self, chance: &mut ChaCha12Rng, count: usize) {
        for _ in 0..count {
            let nth = chance.random_range(0..self.imported.len());
            let key = self.imported.keys().nth(nth).unwrap().clone();
            self.imported.remove(&key);
        }
        let kept: Vec<&String> = self.imported.keys().collect();
        self.database.execute("DELETE FROM imported_tickets WHERE ticket_id <> ALL ($1)", &[&kept]);
    }

    pub(super) fn forget_imported(&mut self) {
        self.imported.clear();
        self.database.execute("TRUNCATE imported_tickets", &[]);
    }
}
