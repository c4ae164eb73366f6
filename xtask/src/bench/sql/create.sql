-- POST /api/tickets: crates/persistence/src/tx, `opening` and `record`, with one ticket. BEGIN goes without the SET LOCAL
-- that travel with ours: pgbench cannot prepare several statements at once.
\set n random(1, {clients})
\set p random(1, 4)
BEGIN;
SELECT id AS client, tier FROM clients WHERE id = (SELECT id FROM bench.clients WHERE n = :n) FOR KEY SHARE \gset k_
SELECT clock_timestamp() AS now, nextval('ticket_numbers') AS number, v.id AS policy, bench.new_id() AS id,
    bench.new_id() AS event, bench.new_id() AS entry
FROM sla_policies p JOIN sla_policy_versions v ON v.policy_id = p.id
WHERE p.client_tier = :k_tier::text AND (p.priority IS NULL OR p.priority = :p)
ORDER BY p.priority ASC NULLS LAST, v.version DESC LIMIT 1 \gset k_
WITH change AS (SELECT * FROM unnest(ARRAY[:k_id]::uuid[], ARRAY[:k_number]::bigint[], ARRAY[1]::bigint[],
        ARRAY['{title}']::text[], ARRAY['{description}']::text[], ARRAY['OPEN']::text[], ARRAY[:p]::smallint[],
        ARRAY[:k_client]::uuid[], ARRAY[NULL]::uuid[], ARRAY[0]::smallint[], ARRAY[:k_now]::timestamptz[],
        ARRAY[:k_now]::timestamptz[], ARRAY[NULL]::timestamptz[], ARRAY[NULL]::timestamptz[],
        ARRAY[:k_now::timestamptz + CASE :k_tier::text WHEN 'VIP' THEN interval '120 min' ELSE interval '1440 min' END],
        ARRAY['']::text[])
    AS c (id, number, version, title, description, status, priority, client_id, agent_id, escalation_level, created_at,
        updated_at, resolved_at, deleted_at, due_at, tags)),
inserted AS (INSERT INTO tickets (id, number, version, title, description, status, priority, client_id, agent_id,
        escalation_level, created_at, updated_at, resolved_at, deleted_at, due_at, tags)
    SELECT id, number, version, title, description, status, priority, client_id, agent_id, escalation_level, created_at,
        updated_at, resolved_at, deleted_at, due_at, string_to_array(tags, E'\n') FROM change WHERE version = 1 RETURNING 1),
updated AS (UPDATE tickets t SET version = c.version, status = c.status, priority = c.priority, agent_id = c.agent_id,
        escalation_level = c.escalation_level, updated_at = c.updated_at, resolved_at = c.resolved_at,
        deleted_at = c.deleted_at, due_at = c.due_at
    FROM change c WHERE t.id = c.id AND t.version = c.version - 1 AND c.version > 1 RETURNING 1),
clocks AS (INSERT INTO sla_clocks AS k (ticket_id, metric, policy_version_id, cycle, started_at, running_since, paused_at,
        stopped_at, consumed_us, due_at, steps_run, warned_at, breached_at, next_step_at)
    SELECT n.ticket_id, n.metric, n.policy_version_id, n.cycle, n.started_at, n.running_since, n.paused_at, n.stopped_at,
        n.consumed_us, n.due_at, n.steps_run::smallint[], n.warned_at, n.breached_at, n.next_step_at
    FROM unnest(ARRAY[:k_id]::uuid[], ARRAY['FIRST_RESPONSE']::text[], ARRAY[:k_policy]::uuid[], ARRAY[1]::smallint[],
        ARRAY[:k_now]::timestamptz[], ARRAY[:k_now]::timestamptz[], ARRAY[NULL]::timestamptz[], ARRAY[NULL]::timestamptz[],
        ARRAY[0]::bigint[],
        ARRAY[:k_now::timestamptz + CASE :k_tier::text WHEN 'VIP' THEN interval '120 min' ELSE interval '1440 min' END],
        ARRAY['{}']::text[], ARRAY[NULL]::timestamptz[], ARRAY[NULL]::timestamptz[],
        ARRAY[:k_now::timestamptz + CASE :k_tier::text WHEN 'VIP' THEN interval '120 min' ELSE interval '1440 min' END])
        AS n (ticket_id, metric, policy_version_id, cycle, started_at, running_since, paused_at, stopped_at, consumed_us,
            due_at, steps_run, warned_at, breached_at, next_step_at)
    ON CONFLICT (ticket_id, metric) DO UPDATE SET policy_version_id = excluded.policy_version_id,
        cycle = excluded.cycle, running_since = excluded.running_since, paused_at = excluded.paused_at,
        stopped_at = excluded.stopped_at, consumed_us = excluded.consumed_us, due_at = excluded.due_at,
        steps_run = excluded.steps_run, warned_at = excluded.warned_at, breached_at = excluded.breached_at,
        next_step_at = excluded.next_step_at, set_aside_until = NULL, set_aside_count = 0, set_aside_reason = NULL
    WHERE (k.policy_version_id, k.cycle, k.running_since, k.paused_at, k.stopped_at, k.consumed_us, k.due_at, k.steps_run)
        IS DISTINCT FROM (excluded.policy_version_id, excluded.cycle, excluded.running_since, excluded.paused_at,
            excluded.stopped_at, excluded.consumed_us, excluded.due_at, excluded.steps_run)
    RETURNING next_step_at),
steps AS (INSERT INTO sla_steps (ticket_id, metric, cycle, step, due_at, ran_at, event_id)
    SELECT * FROM unnest(ARRAY[]::uuid[], ARRAY[]::text[], ARRAY[]::smallint[], ARRAY[]::smallint[], ARRAY[]::timestamptz[],
        ARRAY[]::timestamptz[], ARRAY[]::uuid[])),
history AS (INSERT INTO ticket_timeline (ticket_id, at, id, actor_id, action, before, after, event_id)
    SELECT * FROM unnest(ARRAY[:k_id]::uuid[], ARRAY[:k_now]::timestamptz[], ARRAY[:k_entry]::uuid[],
        ARRAY['{actor}']::uuid[], ARRAY['CREATED'], ARRAY['{}'::jsonb],
        ARRAY[jsonb_build_object('number', 'TS-1', 'title', '{title}', 'description', '{description}',
            'status', 'OPEN', 'priority', :p::smallint, 'tags', '[]'::jsonb, 'clientId', :k_client::text, 'clientType',
            :k_tier::text, 'agentId', NULL, 'escalationLevel', 0)], ARRAY[:k_event]::uuid[])),
events AS (INSERT INTO outbox (id, type, ticket_id, at, traceparent, body)
    SELECT e.id, e.type, e.ticket_id, e.at, e.traceparent, e.body::json
    FROM unnest(ARRAY[:k_event]::uuid[], ARRAY['pro.techsupport.ticket.created.v1'], ARRAY[:k_id]::uuid[],
        ARRAY[:k_now]::timestamptz[], ARRAY['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
        ARRAY[(SELECT body FROM bench.documents WHERE type = 'pro.techsupport.ticket.created.v1')])
        AS e (id, type, ticket_id, at, traceparent, body)),
dated AS (UPDATE tickets t SET due_at = d.due_at FROM unnest(ARRAY[]::uuid[], ARRAY[]::timestamptz[]) AS d (id, due_at)
    WHERE t.id = d.id AND t.due_at IS DISTINCT FROM d.due_at)
SELECT (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated),
    (SELECT count(pg_notify('techsupport_deadlines', '')) FROM (SELECT 1 FROM clocks
        WHERE next_step_at < clock_timestamp() + make_interval(secs => 60000 / 1000.0) LIMIT 1) AS soon);
COMMIT;
