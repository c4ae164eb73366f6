-- Durations, without reading the tickets themselves. `resolved_at` changes together with `phase`, and `agent_id` has an
-- index, so no update that was heap-only ceases to be.
CREATE INDEX CONCURRENTLY tickets_resolved ON tickets (created_at) INCLUDE (resolved_at, client_id, agent_id)
    WHERE resolved_at IS NOT NULL AND deleted_at IS NULL;
