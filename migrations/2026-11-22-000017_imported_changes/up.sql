-- Reports read sums of the imported tickets, because there may be millions of them. Each change of an imported ticket
-- adds rows here, in its own transaction: one that takes away what was there, one that adds what is there now. A pass
-- of the program moves them into the sums, in one transaction. So at every moment, and for every snapshot, the sums
-- and these rows together are what the tickets come to (docs/adr/018).
CREATE TABLE imported_changes (
    tickets     smallint    NOT NULL, -- 1 or -1
    created_at  timestamptz NOT NULL,
    client_type text        NOT NULL,
    status      text        NOT NULL,
    escalated   boolean     NOT NULL, -- at least once, or now
    agent_id    text        COLLATE "C",
    duration_us bigint                -- microseconds until it was resolved
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 20000);

-- Through floating-point numbers where they are exact, which takes a tenth of the time.
CREATE FUNCTION duration_us(duration interval) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN duration < interval '3650 days' THEN round(date_part('epoch', duration) * 1e6)::bigint
        ELSE (extract(epoch FROM duration) * 1000000)::bigint END;

CREATE FUNCTION note_imported_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO imported_changes (tickets, created_at, client_type, status, escalated, agent_id, duration_us)
        SELECT -1, t.created_at, t.client_type, t.status, t.escalation_level > 0 OR t.status = 'ESCALATED',
            t.agent_id, duration_us(t.resolved_at - t.created_at)
        FROM tickets_before t;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO imported_changes (tickets, created_at, client_type, status, escalated, agent_id, duration_us)
        SELECT 1, t.created_at, t.client_type, t.status, t.escalation_level > 0 OR t.status = 'ESCALATED',
            t.agent_id, duration_us(t.resolved_at - t.created_at)
        FROM tickets_after t;
    END IF;
    RETURN NULL;
END $$;
-- Also for programs of the release before, which know nothing of sums.
CREATE TRIGGER imported_tickets_noted_when_entered AFTER INSERT ON imported_tickets
    REFERENCING NEW TABLE AS tickets_after
    FOR EACH STATEMENT EXECUTE FUNCTION note_imported_changes();
CREATE TRIGGER imported_tickets_noted_when_changed AFTER UPDATE ON imported_tickets
    REFERENCING OLD TABLE AS tickets_before NEW TABLE AS tickets_after
    FOR EACH STATEMENT EXECUTE FUNCTION note_imported_changes();
CREATE TRIGGER imported_tickets_noted_when_gone AFTER DELETE ON imported_tickets
    REFERENCING OLD TABLE AS tickets_before
    FOR EACH STATEMENT EXECUTE FUNCTION note_imported_changes();

-- Whoever empties the table of the tickets empties what follows from it, as far as the step after this one has been
-- taken. Here, because that step takes long and should not have to lock the tickets in the end.
CREATE FUNCTION forget_imported_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE imported_changes;
    IF to_regclass('imported_facts') IS NOT NULL THEN
        TRUNCATE imported_facts, imported_by_hour, imported_by_agent, imported_by_duration;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER imported_tickets_forgotten AFTER TRUNCATE ON imported_tickets
    FOR EACH STATEMENT EXECUTE FUNCTION forget_imported_sums();
