//! What the lists cost at 200,000 rows, by what PostgreSQL counts while it answers: no list reads a big table from
//! end to end, and no page of a walk goes through a large part of one to find its few rows.

use postgres::Client as Connection;
use techsupport_application::{
    Budget, Page, Position, SortKey,
    ports::{AgentFilter, AgentIs, ClientFilter, Reader, TicketFilter, TicketOrder},
};
use techsupport_domain::{
    AgentId, ClientId, ClientTier,
    sla::ClockState,
    ticket::{Priority, Status, Tag},
};
use techsupport_persistence::Database;
use techsupport_tests::{LIMIT, TestDatabase, await_end_of_others};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A tenth of the table.
const MOST_ROWS: i64 = 20_000;

/// A desk after some years: one ticket in twenty is being worked on or has just been resolved. Indexes are built
/// in the end, and what checks single rows is left out: that takes a third of the time.
const FILL: &str = "
CREATE TEMP TABLE later AS SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('tickets', 'sla_clocks', 'ticket_timeline', 'clients', 'agents')
    AND indexname NOT IN (SELECT conname FROM pg_constraint);
DO $$
DECLARE this record;
BEGIN
    FOR this IN SELECT * FROM later LOOP
        EXECUTE format('DROP INDEX %I', this.indexname);
    END LOOP;
    FOR this IN SELECT conrelid::regclass AS home, conname FROM pg_constraint
        WHERE contype = 'f' AND conrelid::regclass::text IN ('tickets', 'sla_clocks', 'ticket_timeline')
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', this.home, this.conname);
    END LOOP;
END $$;
ALTER TABLE tickets DISABLE TRIGGER USER;
UPDATE ticket_tally SET live = 200000;
INSERT INTO clients (id, name, email, email_folded, tier, company, created_at)
SELECT ('c0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Person ' || n, 'client' || n || '@example.org',
    'client' || n || '@example.org', CASE WHEN n % 20 = 0 THEN 'VIP' ELSE 'NORMAL' END, 'Company ' || n % 3000,
    now() - make_interval(mins => n)
FROM generate_series(1, 200000) n;
INSERT INTO agents (id, name, email, email_folded, level, active, created_at)
SELECT ('a0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Agent ' || n, 'agent' || n || '@example.org',
    'agent' || n || '@example.org', 1, n % 50 > 0, now() - make_interval(mins => n)
FROM generate_series(1, 200000) n;
INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, agent_id,
    escalation_level, created_at, updated_at, due_at, tags)
SELECT ('d0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n, 1, 'Printer ' || n || ' offline', 'On floor ' || n % 40,
    CASE WHEN n % 20 > 0 THEN 'CLOSED'
        ELSE (ARRAY['OPEN', 'IN_PROGRESS', 'WAITING', 'RESOLVED', 'ESCALATED'])[n / 20 % 5 + 1] END, chance / 7 % 4 + 1,
    ('c0000000-0000-7000-8000-' || lpad(to_hex(chance % 5000 + 1), 12, '0'))::uuid,
    CASE WHEN chance % 97 > 0 THEN ('a0000000-0000-7000-8000-' || lpad(to_hex(chance % 499 + 1), 12, '0'))::uuid END, 0,
    now() - make_interval(mins => 200000 - n), now() - make_interval(mins => 200000 - n),
    CASE WHEN n % 20 = 0 AND n / 20 % 5 <> 3 THEN now() - make_interval(mins => 198560 - n) END,
    CASE WHEN chance % 300 = 0 THEN '{vpn,urgent}' ELSE '{}'::text[] END
FROM generate_series(1, 200000) n, LATERAL (SELECT hashint4(n)::bigint & 65535 AS chance) AS by_chance;
INSERT INTO sla_clocks (ticket_id, metric, policy_version_id, cycle, started_at, running_since, stopped_at,
    consumed_us, due_at, steps_run, breached_at)
SELECT id, 'FIRST_RESPONSE', '01976f00-0000-7000-8000-000000000012', 1, created_at,
    CASE WHEN due_at IS NOT NULL THEN created_at END, CASE WHEN due_at IS NULL THEN created_at END, 0,
    coalesce(due_at, created_at), '{}', CASE WHEN hashint8(number) % 280 = 0 THEN created_at END
FROM tickets;
INSERT INTO ticket_timeline (ticket_id, at, id, action, before, after, event_id)
SELECT id, created_at, id, 'CREATED', '{}', '{}', id FROM tickets;
DO $$
DECLARE this record;
BEGIN
    FOR this IN SELECT * FROM later LOOP
        EXECUTE this.indexdef;
    END LOOP;
END $$;
";

/// What one question made PostgreSQL do.
#[derive(Debug, Default, PartialEq)]
struct Cost {
    /// Big tables that were read from end to end.
    read_whole: Vec<String>,
    /// Rows of big tables that were looked at, found through an index.
    rows: i64,
}

struct Ledger(Connection);

impl Ledger {
    /// What has been done so far, by table.
    fn state(&mut self) -> Vec<(String, i64, i64)> {
        let counts = "SELECT relname::text, seq_scan, coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables \
                      WHERE relname IN ('tickets', 'sla_clocks', 'ticket_timeline', 'clients', 'agents') ORDER BY 1";
        self.0.query(counts, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// Asks through the program's own adapter. What a connection has done is counted at the latest when it ends.
    fn cost(&mut self, database: &TestDatabase, ask: &dyn Fn(&dyn Reader)) -> Cost {
        await_end_of_others(&mut self.0);
        let before = self.state();
        let pool = Database::connect(&database.settings(), "lists");
        ask(pool.reader().as_ref());
        drop(pool);
        await_end_of_others(&mut self.0);
        let mut cost = Cost::default();
        for (before, after) in before.into_iter().zip(self.state()) {
            if after.1 > before.1 {
                cost.read_whole.push(after.0);
            }
            cost.rows += after.2 - before.2;
        }
        cost
    }
}

fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128(kind << 124 | 0x7000_8000_0000_0000_0000 | number)
}

/// Every filter alone.
fn filters(now: OffsetDateTime) -> Vec<(&'static str, TicketFilter)> {
    let days = |days| Some(now - Duration::days(days));
    let all = TicketFilter::default;
    let work = vec![Status::Open, Status::InProgress, Status::Waiting, Status::Escalated];
    let agent = Some(AgentIs::Agent(AgentId::new(id(0xa, 8))));
    let client = Some(ClientId::new(id(0xc, 8)));
    let ranked =
        |words: &str| TicketFilter { words: Some(words.to_owned()), order: TicketOrder::Relevance, ..all() };
    vec![
        ("all", all()),
        ("open", TicketFilter { statuses: vec![Status::Open], ..all() }),
        ("escalated", TicketFilter { statuses: vec![Status::Escalated], ..all() }),
        ("resolved", TicketFilter { statuses: vec![Status::Resolved], ..all() }),
        ("closed", TicketFilter { statuses: vec![Status::Closed], ..all() }),
        ("being worked on", TicketFilter { statuses: work, ..all() }),
        ("priority", TicketFilter { priority: Priority::parse(1).ok(), ..all() }),
        ("client", TicketFilter { client, ..all() }),
        ("agent", TicketFilter { agent, ..all() }),
        ("nobody", TicketFilter { agent: Some(AgentIs::Nobody), ..all() }),
        ("tag", TicketFilter { tag: Tag::parse("vpn").ok(), ..all() }),
        ("unknown tag", TicketFilter { tag: Tag::parse("nonsense").ok(), ..all() }),
        ("from", TicketFilter { from: days(2), ..all() }),
        ("to", TicketFilter { to: days(100), ..all() }),
        ("from, to", TicketFilter { from: days(60), to: days(50), ..all() }),
        ("updated since", TicketFilter { updated_since: days(2), ..all() }),
        ("breached", TicketFilter { sla_state: Some(ClockState::Breached), ..all() }),
        ("running", TicketFilter { sla_state: Some(ClockState::Running), ..all() }),
        ("warned", TicketFilter { sla_state: Some(ClockState::Warned), ..all() }),
        ("a word", ranked("12345")),
        ("a beginning", ranked("1234")),
        ("words", ranked("printer 1234 floor")),
        ("an unknown word", ranked("zebra")),
    ]
}

/// What people combine.
fn combinations(now: OffsetDateTime) -> Vec<(&'static str, TicketFilter)> {
    let all = TicketFilter::default;
    let work = || vec![Status::Open, Status::InProgress, Status::Waiting, Status::Escalated];
    let urgent = || Priority::parse(1).ok();
    let agent = Some(AgentIs::Agent(AgentId::new(id(0xa, 8))));
    let client = Some(ClientId::new(id(0xc, 8)));
    let recently = Some(now - Duration::days(60));
    let beginning = || Some("1234".to_owned());
    let escalated = || vec![Status::Escalated];
    let breached = Some(ClockState::Breached);
    let tag = || Tag::parse("vpn").ok();
    let nobody = Some(AgentIs::Nobody);
    let (due, latest, priority) = (TicketOrder::DueAsc, TicketOrder::DueDesc, TicketOrder::PriorityAsc);
    vec![
        ("work", TicketFilter { statuses: work(), order: due, ..all() }),
        ("work", TicketFilter { statuses: work(), order: latest, ..all() }),
        ("work", TicketFilter { statuses: work(), order: priority, ..all() }),
        ("escalated", TicketFilter { statuses: escalated(), order: due, ..all() }),
        ("escalated", TicketFilter { statuses: escalated(), order: priority, ..all() }),
        (
            "escalated and urgent",
            TicketFilter { statuses: escalated(), priority: urgent(), order: due, ..all() },
        ),
        ("work of an agent", TicketFilter { statuses: work(), agent, ..all() }),
        ("work of an agent", TicketFilter { statuses: work(), agent, order: due, ..all() }),
        ("work of an agent", TicketFilter { statuses: work(), agent, order: priority, ..all() }),
        ("work of nobody", TicketFilter { statuses: work(), agent: nobody, order: priority, ..all() }),
        ("of a client since", TicketFilter { client, from: recently, ..all() }),
        ("of a client", TicketFilter { client, order: due, ..all() }),
        ("of an agent", TicketFilter { agent, order: priority, ..all() }),
        ("with a word", TicketFilter { words: beginning(), order: TicketOrder::CreatedDesc, ..all() }),
        ("with a word", TicketFilter { words: beginning(), order: due, ..all() }),
        (
            "urgent with a word",
            TicketFilter { priority: urgent(), words: beginning(), order: priority, ..all() },
        ),
        ("with a tag", TicketFilter { tag: tag(), order: due, ..all() }),
        ("with a tag", TicketFilter { tag: tag(), order: priority, ..all() }),
        ("breached", TicketFilter { sla_state: breached, order: due, ..all() }),
        ("breached work", TicketFilter { sla_state: breached, statuses: work(), order: due, ..all() }),
    ]
}

const ORDERS: [TicketOrder; 6] = [
    TicketOrder::CreatedDesc,
    TicketOrder::CreatedAsc,
    TicketOrder::PriorityAsc,
    TicketOrder::PriorityDesc,
    TicketOrder::DueAsc,
    TicketOrder::DueDesc,
];

/// In the middle of the list.
fn on_the_way(now: OffsetDateTime, order: TicketOrder) -> Vec<Position> {
    let at = |key| Position { key, id: id(0xd, 100_000) };
    let then = now - Duration::minutes(100_000);
    match order {
        TicketOrder::CreatedDesc | TicketOrder::CreatedAsc => vec![at(SortKey::Time(then))],
        TicketOrder::PriorityAsc | TicketOrder::PriorityDesc => vec![at(SortKey::Number(2))],
        TicketOrder::DueAsc | TicketOrder::DueDesc => vec![at(SortKey::Time(then)), at(SortKey::Nothing)],
        TicketOrder::Relevance => vec![at(SortKey::Rank(0.5))],
    }
}

#[test]
fn no_list_reads_a_whole_table_at_200_000_rows() {
    let database = TestDatabase::migrated();
    let mut connection = database.connect();
    connection.batch_execute(FILL).unwrap();
    // What is to be looked up in the index alone has to be known as visible; plans want to know what there is.
    connection.batch_execute("VACUUM ANALYZE").unwrap();
    let now: OffsetDateTime = connection.query_one("SELECT now()", &[]).unwrap().get(0);
    drop(connection);
    let mut ledger = Ledger(database.connect());
    let budget = || Budget::lasting(LIMIT);
    let first = Page::new(1, 20).unwrap();
    let mut faults = Vec::new();
    let mut check = |what: String, most_rows: i64, ask: &dyn Fn(&dyn Reader)| {
        let cost = ledger.cost(&database, ask);
        if !cost.read_whole.is_empty() || cost.rows > most_rows {
            faults.push(format!("{what}: {cost:?}"));
        }
    };

    for (what, filter) in filters(now) {
        // A total looks at all that it counts.
        check(format!("{what}, counted"), i64::MAX, &|reader| {
            assert!(reader.tickets(&budget(), &filter, first).unwrap().total.is_some());
        });
    }
    let sorted = |order| TicketFilter { order, ..TicketFilter::default() };
    let orders = ORDERS.map(|order| ("all", sorted(order)));
    for (what, filter) in filters(now).into_iter().chain(orders).chain(combinations(now)) {
        for position in on_the_way(now, filter.order).into_iter().map(Some).chain([None]) {
            let page = Page::behind(position, 20).unwrap();
            check(format!("{what}, {:?}, {position:?}", filter.order), MOST_ROWS, &|reader| {
                reader.tickets(&budget(), &filter, page).unwrap();
            });
        }
    }

    for search in [None, Some("son 1234"), Some("CLIENT1234"), Some("zebra")] {
        let search = search.map(str::to_owned);
        for tier in [None, Some(ClientTier::Vip), Some(ClientTier::Normal)] {
            let filter = ClientFilter { search: search.clone(), tier };
            check(format!("{filter:?}"), MOST_ROWS, &|reader| {
                reader.clients(&budget(), &filter, first).unwrap();
            });
        }
        for active in [None, Some(true), Some(false)] {
            let filter = AgentFilter { search: search.clone(), active };
            check(format!("{filter:?}"), MOST_ROWS, &|reader| {
                reader.agents(&budget(), &filter, first).unwrap();
            });
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
