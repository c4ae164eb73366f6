-- GET /api/tickets/{id}: crates/persistence/src/read/tickets.rs, `one`.
\set n random(1, {tickets})
SELECT t.id, t.number, t.version, t.title, t.description, t.status, t.priority, t.client_id, t.agent_id,
    t.escalation_level, t.created_at, t.updated_at, t.resolved_at, t.deleted_at, t.tags, c.tier,
    k.ticket_id, k.metric, k.policy_version_id, k.cycle, k.started_at, k.running_since, k.paused_at, k.stopped_at,
    k.consumed_us, k.due_at, k.steps_run, k.warned_at, k.breached_at
FROM tickets t JOIN clients c ON c.id = t.client_id LEFT JOIN sla_clocks k ON k.ticket_id = t.id
WHERE t.id = (SELECT id FROM bench.tickets WHERE n = :n) AND t.deleted_at IS NULL;
