//! Writes tickets, clocks, steps, timeline and outbox in one statement.
//!
//! Rows travel as arrays, one for each column, so the text of the statement is the same for one change and
//! for five hundred, and PostgreSQL plans it once a connection.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use serde_json::Value;
use techsupport_application::{Extent, TicketChange};
use techsupport_domain::sla::{Clock, Run};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Default)]
struct TicketColumns {
    id: Vec<Uuid>,
    number: Vec<i64>,
    version: Vec<i64>,
    title: Vec<Option<String>>,
    description: Vec<Option<String>>,
    status: Vec<&'static str>,
    priority: Vec<i16>,
    client: Vec<Uuid>,
    agent: Vec<Option<Uuid>>,
    level: Vec<i16>,
    created_at: Vec<OffsetDateTime>,
    updated_at: Vec<OffsetDateTime>,
    resolved_at: Vec<Option<OffsetDateTime>>,
    deleted_at: Vec<Option<OffsetDateTime>>,
    due_at: Vec<Option<OffsetDateTime>>,
    /// One in each line: an array of arrays has to be rectangular, and no tag has a line break.
    tags: Vec<Option<String>>,
}

/// Tickets that stay as they are but for their deadline.
#[derive(Default)]
struct DueColumns {
    ticket: Vec<Uuid>,
    due_at: Vec<Option<OffsetDateTime>>,
}

#[derive(Default)]
struct ClockColumns {
    ticket: Vec<Uuid>,
    metric: Vec<&'static str>,
    policy: Vec<Uuid>,
    cycle: Vec<i16>,
    started_at: Vec<OffsetDateTime>,
    running_since: Vec<Option<OffsetDateTime>>,
    paused_at: Vec<Option<OffsetDateTime>>,
    stopped_at: Vec<Option<OffsetDateTime>>,
    consumed_us: Vec<i64>,
    due_at: Vec<OffsetDateTime>,
    /// As PostgreSQL writes an array, because an array of arrays has to be rectangular.
    steps_run: Vec<String>,
    warned_at: Vec<Option<OffsetDateTime>>,
    breached_at: Vec<Option<OffsetDateTime>>,
    next_step_at: Vec<Option<OffsetDateTime>>,
}

#[derive(Default)]
struct StepColumns {
    ticket: Vec<Uuid>,
    metric: Vec<&'static str>,
    cycle: Vec<i16>,
    step: Vec<i16>,
    due_at: Vec<OffsetDateTime>,
    ran_at: Vec<OffsetDateTime>,
    event: Vec<Uuid>,
}

#[derive(Default)]
struct TimelineColumns {
    ticket: Vec<Uuid>,
    at: Vec<OffsetDateTime>,
    id: Vec<Uuid>,
    actor: Vec<Option<Uuid>>,
    action: Vec<&'static str>,
    before: Vec<Value>,
    after: Vec<Value>,
    event: Vec<Uuid>,
}

#[derive(Default)]
struct OutboxColumns {
    id: Vec<Uuid>,
    event_type: Vec<&'static str>,
    ticket: Vec<Uuid>,
    at: Vec<OffsetDateTime>,
    traceparent: Vec<String>,
    body: Vec<String>,
}

/// The statement with its rows. Yields how many tickets were written, and whether sweeps were woken.
pub(super) struct Record {
    tickets: TicketColumns,
    due: DueColumns,
    clocks: ClockColumns,
    steps: StepColumns,
    timeline: TimelineColumns,
    outbox: OutboxColumns,
    notify_horizon_ms: i64,
}

impl Record {
    /// Turns the changes by ninety degrees. A deadline nearer than the horizon wakes the sweeps.
    pub(super) fn of(changes: &[TicketChange], notify_horizon_ms: u64) -> Self {
        let mut record = Self {
            tickets: TicketColumns::default(),
            due: DueColumns::default(),
            clocks: ClockColumns::default(),
            steps: StepColumns::default(),
            timeline: TimelineColumns::default(),
            outbox: OutboxColumns::default(),
            notify_horizon_ms: i64::try_from(notify_horizon_ms).unwrap_or(i64::MAX),
        };
        for change in changes {
            match change.extent() {
                Extent::Opened => record.tickets.push(change, true),
                Extent::Changed => record.tickets.push(change, false),
                Extent::Untouched => record.due.push(change),
            }
            for clock in &change.ticket().clocks {
                record.clocks.push(change.ticket().id.uuid(), clock);
            }
            record.steps.push(change);
            record.timeline.push(change);
            record.outbox.push(change);
        }
        record
    }
}

impl TicketColumns {
    /// Long texts only travel when they are new; [`super::texts`] takes those that were edited.
    fn push(&mut self, change: &TicketChange, new: bool) {
        let ticket = change.ticket();
        self.id.push(ticket.id.uuid());
        self.number.push(ticket.number.get());
        self.version.push(ticket.version);
        self.title.push(new.then(|| ticket.title.as_str().to_owned()));
        self.description.push(new.then(|| ticket.description.as_str().to_owned()));
        self.status.push(ticket.status.name());
        self.priority.push(i16::from(ticket.priority.get()));
        self.client.push(ticket.client.uuid());
        self.agent.push(ticket.agent.map(techsupport_domain::AgentId::uuid));
        self.level.push(i16::from(ticket.level.get()));
        self.created_at.push(ticket.created_at);
        self.updated_at.push(ticket.updated_at);
        self.resolved_at.push(ticket.resolved_at);
        self.deleted_at.push(ticket.deleted_at);
        self.due_at.push(ticket.due_at());
        self.tags.push(new.then(|| ticket.tags.iter().collect::<Vec<_>>().join("\n")));
    }
}

impl DueColumns {
    fn push(&mut self, change: &TicketChange) {
        self.ticket.push(change.ticket().id.uuid());
        self.due_at.push(change.ticket().due_at());
    }
}

impl ClockColumns {
    fn push(&mut self, ticket: Uuid, clock: &Clock) {
        let (running, paused, stopped) = match clock.run {
            Run::Running { since } => (Some(since), None, None),
            Run::Paused { since } => (None, Some(since), None),
            Run::Stopped { at } => (None, None, Some(at)),
        };
        let steps: Vec<String> = clock.steps_run.iter().map(|step| step.get().to_string()).collect();
        self.ticket.push(ticket);
        self.metric.push(clock.metric.name());
        self.policy.push(clock.terms.policy_version.uuid());
        self.cycle.push(i16::try_from(clock.cycle).unwrap_or(i16::MAX));
        self.started_at.push(clock.started_at);
        self.running_since.push(running);
        self.paused_at.push(paused);
        self.stopped_at.push(stopped);
        self.consumed_us.push(i64::try_from(clock.consumed.whole_microseconds()).unwrap_or(i64::MAX));
        self.due_at.push(clock.due_at);
        self.steps_run.push(format!("{{{}}}", steps.join(",")));
        self.warned_at.push(clock.warned_at);
        self.breached_at.push(clock.breached_at);
        self.next_step_at.push(clock.next_step_at());
    }
}

impl StepColumns {
    fn push(&mut self, change: &TicketChange) {
        for step in change.steps() {
            self.ticket.push(change.ticket().id.uuid());
            self.metric.push(step.metric.name());
            self.cycle.push(i16::try_from(step.cycle).unwrap_or(i16::MAX));
            self.step.push(step.step.get());
            self.due_at.push(step.due_at);
            self.ran_at.push(change.at());
            self.event.push(step.event.uuid());
        }
    }
}

impl TimelineColumns {
    fn push(&mut self, change: &TicketChange) {
        for entry in change.timeline() {
            self.ticket.push(change.ticket().id.uuid());
            self.at.push(change.at());
            self.id.push(entry.id);
            self.actor.push(change.actor().user().map(techsupport_domain::UserId::uuid));
            self.action.push(entry.action.name());
            self.before.push(entry.before.clone());
            self.after.push(entry.after.clone());
            self.event.push(entry.event.uuid());
        }
    }
}

impl OutboxColumns {
    fn push(&mut self, change: &TicketChange) {
        for message in change.outbox() {
            self.id.push(message.id.uuid());
            self.event_type.push(message.event_type.name());
            self.ticket.push(change.ticket().id.uuid());
            self.at.push(message.at);
            self.traceparent.push(message.traceparent.clone());
            self.body.push(message.body.clone());
        }
    }
}

impl QueryId for Record {
    type QueryId = Record;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Record {
    type SqlType = (BigInt, BigInt);
}

impl<Conn> RunQueryDsl<Conn> for Record {}

/// Binds columns one after the other, with commas in between.
macro_rules! columns {
    ($out:ident, $first:expr => $first_type:ty, $($next:expr => $next_type:ty),+ $(,)?) => {
        $out.push_sql("unnest(");
        $out.push_bind_param::<Array<$first_type>, _>(&$first)?;
        $(
            $out.push_sql(", ");
            $out.push_bind_param::<Array<$next_type>, _>(&$next)?;
        )+
        $out.push_sql(")");
    };
}

impl QueryFragment<Pg> for Record {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH change AS (SELECT * FROM ");
        columns!(out,
            self.tickets.id => SqlUuid, self.tickets.number => BigInt, self.tickets.version => BigInt,
            self.tickets.title => Nullable<Text>, self.tickets.description => Nullable<Text>,
            self.tickets.status => Text, self.tickets.priority => SmallInt, self.tickets.client => SqlUuid,
            self.tickets.agent => Nullable<SqlUuid>, self.tickets.level => SmallInt,
            self.tickets.created_at => Timestamptz, self.tickets.updated_at => Timestamptz,
            self.tickets.resolved_at => Nullable<Timestamptz>, self.tickets.deleted_at => Nullable<Timestamptz>,
            self.tickets.due_at => Nullable<Timestamptz>,
            self.tickets.tags => Nullable<Text>,
        );
        out.push_sql(TICKETS);
        columns!(out,
            self.clocks.ticket => SqlUuid, self.clocks.metric => Text, self.clocks.policy => SqlUuid,
            self.clocks.cycle => SmallInt, self.clocks.started_at => Timestamptz,
            self.clocks.running_since => Nullable<Timestamptz>, self.clocks.paused_at => Nullable<Timestamptz>,
            self.clocks.stopped_at => Nullable<Timestamptz>, self.clocks.consumed_us => BigInt,
            self.clocks.due_at => Timestamptz, self.clocks.steps_run => Text,
            self.clocks.warned_at => Nullable<Timestamptz>, self.clocks.breached_at => Nullable<Timestamptz>,
            self.clocks.next_step_at => Nullable<Timestamptz>,
        );
        out.push_sql(CLOCKS);
        columns!(out,
            self.steps.ticket => SqlUuid, self.steps.metric => Text, self.steps.cycle => SmallInt,
            self.steps.step => SmallInt, self.steps.due_at => Timestamptz, self.steps.ran_at => Timestamptz,
            self.steps.event => SqlUuid,
        );
        out.push_sql(TIMELINE);
        columns!(out,
            self.timeline.ticket => SqlUuid, self.timeline.at => Timestamptz, self.timeline.id => SqlUuid,
            self.timeline.actor => Nullable<SqlUuid>, self.timeline.action => Text,
            self.timeline.before => Jsonb, self.timeline.after => Jsonb, self.timeline.event => SqlUuid,
        );
        out.push_sql(OUTBOX);
        columns!(out,
            self.outbox.id => SqlUuid, self.outbox.event_type => Text, self.outbox.ticket => SqlUuid,
            self.outbox.at => Timestamptz, self.outbox.traceparent => Text, self.outbox.body => Text,
        );
        out.push_sql(DUE);
        columns!(out, self.due.ticket => SqlUuid, self.due.due_at => Nullable<Timestamptz>);
        out.push_sql(SUMMARY);
        out.push_bind_param::<BigInt, _>(&self.notify_horizon_ms)?;
        out.push_sql(" / 1000.0) LIMIT 1) AS soon)");
        Ok(())
    }
}

const TICKETS: &str = " AS c (id, number, version, title, description, status, priority, client_id, agent_id, \
    escalation_level, created_at, updated_at, resolved_at, deleted_at, due_at, tags)), \
    inserted AS (INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, \
        agent_id, escalation_level, created_at, updated_at, resolved_at, deleted_at, due_at, tags) \
        SELECT id, number, version, title, description, status, priority, client_id, agent_id, escalation_level, \
            created_at, updated_at, resolved_at, deleted_at, due_at, string_to_array(tags, E'\\n') FROM change WHERE version = 1 RETURNING 1), \
    updated AS (UPDATE tickets t SET version = c.version, status = c.status, priority = c.priority, \
        agent_id = c.agent_id, escalation_level = c.escalation_level, updated_at = c.updated_at, \
        resolved_at = c.resolved_at, deleted_at = c.deleted_at, due_at = c.due_at \
        FROM change c WHERE t.id = c.id AND t.version = c.version - 1 AND c.version > 1 RETURNING 1), \
    clocks AS (INSERT INTO sla_clocks AS k (ticket_id, metric, policy_version_id, cycle, started_at, \
        running_since, paused_at, stopped_at, consumed_us, due_at, steps_run, warned_at, breached_at, \
        next_step_at) \
        SELECT n.ticket_id, n.metric, n.policy_version_id, n.cycle, n.started_at, n.running_since, n.paused_at, \
            n.stopped_at, n.consumed_us, n.due_at, n.steps_run::smallint[], n.warned_at, n.breached_at, \
            n.next_step_at FROM ";

// A clock that did not change is not written; one that was changed is no longer set aside.
const CLOCKS: &str = " AS n (ticket_id, metric, policy_version_id, cycle, started_at, running_since, paused_at, \
    stopped_at, consumed_us, due_at, steps_run, warned_at, breached_at, next_step_at) \
    ON CONFLICT (ticket_id, metric) DO UPDATE SET policy_version_id = excluded.policy_version_id, \
        cycle = excluded.cycle, running_since = excluded.running_since, paused_at = excluded.paused_at, \
        stopped_at = excluded.stopped_at, consumed_us = excluded.consumed_us, due_at = excluded.due_at, \
        steps_run = excluded.steps_run, warned_at = excluded.warned_at, breached_at = excluded.breached_at, \
        next_step_at = excluded.next_step_at, set_aside_until = NULL, set_aside_count = 0, \
        set_aside_reason = NULL \
    WHERE (k.policy_version_id, k.cycle, k.running_since, k.paused_at, k.stopped_at, k.consumed_us, k.due_at, \
            k.steps_run) \
        IS DISTINCT FROM (excluded.policy_version_id, excluded.cycle, excluded.running_since, \
            excluded.paused_at, excluded.stopped_at, excluded.consumed_us, excluded.due_at, excluded.steps_run) \
    RETURNING next_step_at), \
    steps AS (INSERT INTO sla_steps (ticket_id, metric, cycle, step, due_at, ran_at, event_id) SELECT * FROM ";

const TIMELINE: &str = "), history AS (INSERT INTO ticket_timeline (ticket_id, at, id, actor_id, action, before, \
    after, event_id) SELECT * FROM ";

const OUTBOX: &str = "), events AS (INSERT INTO outbox (id, type, ticket_id, at, traceparent, body) \
    SELECT e.id, e.type, e.ticket_id, e.at, e.traceparent, e.body::json FROM ";

const DUE: &str = " AS e (id, type, ticket_id, at, traceparent, body)), \
    dated AS (UPDATE tickets t SET due_at = d.due_at FROM ";

// The second column wakes the sweeps, when there is reason to: NOTIFY takes a lock that every commit shares.
const SUMMARY: &str = " AS d (id, due_at) WHERE t.id = d.id AND t.due_at IS DISTINCT FROM d.due_at) \
    SELECT (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated), \
        (SELECT count(pg_notify('techsupport_deadlines', '')) FROM (SELECT 1 FROM clocks \
            WHERE next_step_at < clock_timestamp() + make_interval(secs => ";
