-- Which transaction wrote an event, and the order of writing: a number drawn under the ticket's lock, which, other
-- than a clock, never goes back. Nullable and with the default set apart, so that no row is rewritten; what is there
-- already has neither. Programs of the release before write both, too: the defaults are the database's.
CREATE SEQUENCE outbox_seq AS bigint;
ALTER TABLE outbox ADD COLUMN tx xid8, ADD COLUMN seq bigint;
ALTER TABLE outbox ALTER COLUMN tx SET DEFAULT pg_current_xact_id(), ALTER COLUMN seq SET DEFAULT nextval('outbox_seq');
ALTER SEQUENCE outbox_seq OWNED BY outbox.seq;

-- The feed: every event once, in an order that only grows at its end.
CREATE TABLE event_feed (
    position bigint PRIMARY KEY,
    event_id uuid   NOT NULL CONSTRAINT event_feed_once UNIQUE,
    type     text   NOT NULL
);
CREATE INDEX event_feed_by_type ON event_feed (type, position);

-- The end of the feed. Whoever adds to it holds this row.
CREATE TABLE event_feed_end (
    here          boolean     PRIMARY KEY DEFAULT true CHECK (here),
    last_position bigint      NOT NULL,
    -- Every event that this snapshot sees is in the feed. Null: nothing is known, all of the outbox is compared.
    seen          pg_snapshot,
    -- The cluster whose transactions the snapshot speaks of. A dump may be restored into another one, which
    -- numbers anew.
    cluster       bigint,
    CHECK ((seen IS NULL) = (cluster IS NULL))
);
INSERT INTO event_feed_end (last_position) VALUES (0);
