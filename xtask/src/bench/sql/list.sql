-- GET /api/tickets: crates/persistence/src/read/ticket_list.rs, `page`. The ids of the page, which the program knows by then,
-- are looked up again: twenty entries of an index. BEGIN goes without the SET LOCAL that travel with ours: pgbench cannot prepare
-- several statements at once, so it keeps plans that we make anew.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT (SELECT coalesce(sum(live), 0)::bigint FROM ticket_tally);
SELECT id, number, version, title, description, status, priority, client_id, agent_id, escalation_level, created_at,
    updated_at, resolved_at, deleted_at, tags
FROM tickets WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 21 OFFSET 0;
SELECT t.id, c.tier FROM tickets t JOIN clients c ON c.id = t.client_id
WHERE t.id = ANY (ARRAY(SELECT id FROM tickets WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 20));
SELECT ticket_id, metric, policy_version_id, cycle, started_at, running_since, paused_at, stopped_at, consumed_us, due_at,
    steps_run, warned_at, breached_at
FROM sla_clocks
WHERE ticket_id = ANY (ARRAY(SELECT id FROM tickets WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 20));
COMMIT;
