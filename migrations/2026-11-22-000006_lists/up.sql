-- Rewrites `tickets` once, and keeps others from it meanwhile: see migrations/README.md.

DO $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(name, ' and ' ORDER BY name) INTO missing FROM unnest(ARRAY['pg_trgm', 'unaccent']) AS name
    WHERE name NOT IN (SELECT a.name FROM pg_available_extensions a);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the PostgreSQL server lacks the extension %; it comes with PostgreSQL, in some systems as the package postgresql-contrib', missing;
    END IF;
END $$;
-- Both are trusted: whoever may create things in the database may create them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
-- One that is there already may lie where no unqualified name finds it.
DO $$
DECLARE
    hidden text;
BEGIN
    SELECT string_agg(format('%s (in schema %s)', e.extname, n.nspname), ' and ' ORDER BY e.extname) INTO hidden
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname IN ('pg_trgm', 'unaccent') AND n.nspname <> ALL (current_schemas(true));
    IF hidden IS NOT NULL THEN
        RAISE EXCEPTION 'the search path does not lead to the extension %; move it with ALTER EXTENSION … SET SCHEMA, or add its schema to the search_path of the database',
            hidden;
    END IF;
END $$;

-- What people group tickets by, in lower case, in the order in which they were given.
ALTER TABLE tickets ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
-- The earliest deadline that is still to be met. The program writes it; programs of the release before do not, so a
-- ticket that one of them changes stands where it stood until its next change.
ALTER TABLE tickets ADD COLUMN due_at timestamptz;
UPDATE tickets t SET due_at = c.due_at
FROM (SELECT ticket_id, min(due_at) AS due_at FROM sla_clocks WHERE stopped_at IS NULL GROUP BY ticket_id) AS c
WHERE c.ticket_id = t.id;

-- Words as they are written, but for letter case and accents. No stemming: titles are in English and Spanish, often
-- in both, and a word finds what begins with it anyway.
CREATE TEXT SEARCH CONFIGURATION ticket_words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION ticket_words
    ALTER MAPPING FOR word, numword, hword, hword_part, hword_numpart, numhword WITH unaccent, simple;

ALTER TABLE tickets
    -- 0: being worked on, 1: resolved, 2: closed. Indexed in place of `status`, so that a change of status within a
    -- phase is a heap-only update.
    ADD COLUMN phase smallint NOT NULL GENERATED ALWAYS AS (
        CASE status WHEN 'RESOLVED' THEN 1 WHEN 'CLOSED' THEN 2 ELSE 0 END) STORED,
    -- Punctuation is blanked first: the parser would make e-mail addresses, paths and numbers of it, whose parts
    -- nobody could find.
    ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('ticket_words', translate(title,
            '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                ')), 'A')
        || setweight(to_tsvector('ticket_words', translate(description,
            '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                ')), 'D')) STORED;

CREATE INDEX tickets_by_phase ON tickets (phase, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_due ON tickets (due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_tag ON tickets USING gin (tags) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_word ON tickets USING gin (words) WHERE deleted_at IS NULL;

CREATE INDEX sla_clocks_by_state ON sla_clocks (state, ticket_id);
-- Finds what has changed since a moment: every change of a ticket has a row here. An index on `tickets.updated_at`
-- would say the same, and no update of a ticket would be heap-only any more.
CREATE INDEX ticket_timeline_by_time ON ticket_timeline (at, ticket_id);

CREATE INDEX clients_by_part ON clients USING gin (name gin_trgm_ops, email gin_trgm_ops, company gin_trgm_ops);
CREATE INDEX agents_by_part ON agents USING gin (name gin_trgm_ops, email gin_trgm_ops);
-- For totals: few values, so a thousandth of the table's pages.
CREATE INDEX clients_by_tier ON clients (tier);
CREATE INDEX agents_by_activity ON agents (active);

-- How many tickets there are: the sum of all rows. Counting them would take longer the more there are. Every ticket
-- that comes or goes adds a row, for which nobody waits; one in 256 sums up what it finds, but for what somebody else
-- is summing up.
CREATE TABLE ticket_tally (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    live bigint NOT NULL
);

CREATE FUNCTION tally_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference bigint := 0;
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
        difference := difference + 1;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
        difference := difference - 1;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.number % 256 = 0 THEN
        WITH summed AS (
            DELETE FROM ticket_tally WHERE id IN (SELECT t.id FROM ticket_tally t FOR UPDATE SKIP LOCKED)
            RETURNING ticket_tally.live)
        SELECT difference + coalesce(sum(summed.live), 0) INTO difference FROM summed;
    END IF;
    INSERT INTO ticket_tally (live) VALUES (difference);
    RETURN NULL;
END $$;
CREATE TRIGGER tickets_tallied_when_entered AFTER INSERT ON tickets
    FOR EACH ROW EXECUTE FUNCTION tally_ticket();
CREATE TRIGGER tickets_tallied_when_deleted AFTER UPDATE OF deleted_at ON tickets
    FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION tally_ticket();
CREATE TRIGGER tickets_tallied_when_gone AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION tally_ticket();
INSERT INTO ticket_tally (live) SELECT count(*) FROM tickets WHERE deleted_at IS NULL;
