//! What the database says, asked through `psql`.

use serde::Deserialize;

use crate::error::Result;
use crate::psql::Psql;

/// A step of a clock that was run.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    pub(crate) ticket: String,
    pub(crate) metric: String,
    pub(crate) cycle: i64,
    /// 0 is the breach.
    pub(crate) key: i64,
    pub(crate) event: String,
    /// Microseconds since 1970.
    pub(crate) due_us: i64,
}

/// A row of the outbox that tells of a deadline, and what its document says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) ticket: String,
    pub(crate) published: bool,
    /// Microseconds since 1970.
    pub(crate) created_us: i64,
    pub(crate) document_id: Option<String>,
    pub(crate) document_ticket: Option<String>,
}

/// An event on its way through a channel.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) event: String,
    pub(crate) channel: String,
    pub(crate) state: String,
    pub(crate) attempts: i64,
}

/// An event that the worker has finished with.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Inbox {
    pub(crate) event: String,
}

/// A ticket and what was written about it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    /// Different moments in its timeline: all entries of a change have one, and every change raises the version.
    pub(crate) moments: i64,
    pub(crate) entries: i64,
    /// Rows of the outbox about it.
    pub(crate) events: i64,
    /// Entries of the timeline whose event is a row of the outbox about it.
    pub(crate) told: i64,
    /// Changes of status to ESCALATED by the desk itself.
    pub(crate) escalations: i64,
    pub(crate) set_aside: bool,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) steps: Vec<Step>,
    pub(crate) events: Vec<Event>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) inbox: Vec<Inbox>,
    pub(crate) tickets: Vec<Ticket>,
    /// Rows of the outbox that nobody published, of every type.
    pub(crate) unpublished: i64,
    /// Messages that were given up, whatever became of them.
    pub(crate) dead_letters: i64,
}

impl Records {
    /// Reads everything about deadlines, and the tickets of one client and whatever other ones had a step run.
    pub(crate) fn read(psql: &Psql, client: &str) -> Result<Self> {
        Ok(Self {
            steps: psql.rows(
                "SELECT ticket_id AS ticket, metric, cycle, step AS key, event_id AS event, \
                 (extract(epoch FROM due_at) * 1e6)::bigint AS due_us FROM sla_steps",
            )?,
            events: psql.rows(
                "SELECT id, type AS kind, ticket_id AS ticket, published_at IS NOT NULL AS published, \
                 (extract(epoch FROM created_at) * 1e6)::bigint AS created_us, body->>'id' AS document_id, \
                 body->'data'->>'ticketId' AS document_ticket FROM outbox WHERE type LIKE 'pro.techsupport.sla.%'",
            )?,
            deliveries: psql
                .rows("SELECT event_id AS event, channel, state, attempts FROM deliveries")?,
            inbox: psql.rows("SELECT event_id AS event FROM inbox")?,
            tickets: psql.rows(&tickets(client))?,
            unpublished: count(psql, "outbox WHERE published_at IS NULL")?,
            dead_letters: count(psql, "dead_letters")?,
        })
    }
}

fn count(psql: &Psql, rows: &str) -> Result<i64> {
    Ok(psql.run(&format!("SELECT count(*) FROM {rows}"))?.parse().unwrap_or(i64::MAX))
}

fn tickets(client: &str) -> String {
    format!(
        "WITH chosen AS (SELECT id FROM tickets WHERE client_id = '{client}' UNION SELECT ticket_id FROM sla_steps), \
         told AS (SELECT ticket_id, count(*) AS events FROM outbox JOIN chosen ON chosen.id = ticket_id GROUP BY 1), \
         history AS (SELECT l.ticket_id, count(DISTINCT l.at) AS moments, count(*) AS entries, count(o.id) AS told, \
           count(*) FILTER (WHERE l.action = 'STATUS_CHANGED' AND l.actor_id IS NULL \
             AND l.after->>'status' = 'ESCALATED') AS escalations \
           FROM ticket_timeline l JOIN chosen ON chosen.id = l.ticket_id \
           LEFT JOIN outbox o ON o.id = l.event_id AND o.ticket_id = l.ticket_id GROUP BY 1) \
         SELECT t.id, t.status, t.version, coalesce(h.moments, 0) AS moments, coalesce(h.entries, 0) AS entries, \
           coalesce(o.events, 0) AS events, coalesce(h.told, 0) AS told, coalesce(h.escalations, 0) AS escalations, \
           EXISTS (SELECT 1 FROM sla_clocks k WHERE k.ticket_id = t.id \
             AND (k.set_aside_count > 0 OR k.set_aside_until IS NOT NULL)) AS set_aside \
         FROM chosen JOIN tickets t USING (id) LEFT JOIN history h ON h.ticket_id = t.id \
         LEFT JOIN told o ON o.ticket_id = t.id"
    )
}
