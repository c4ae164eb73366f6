-- Messages that were given up: collected from the broker's dead-letter queues, which can neither be listed nor put back
-- one by one.
CREATE TABLE dead_letters (
    id            uuid        PRIMARY KEY,
    -- The subscription whose consumer gave it up.
    queue         text        NOT NULL,
    -- Which dying of which message: the key is its id, the number counts how often it had been put back. The digest
    -- tells messages apart to which somebody has given the same id.
    message_key   text        NOT NULL,
    replay        integer     NOT NULL CHECK (replay >= 0),
    digest        bytea       NOT NULL,
    event_id      uuid,
    kind          text,
    content_type  text,
    traceparent   text,
    -- Gone once it was thrown away.
    body          bytea,
    attempts      integer     NOT NULL CHECK (attempts >= 0),
    error         text        NOT NULL,
    failed_at     timestamptz NOT NULL,
    collected_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    state         text        NOT NULL DEFAULT 'DEAD' CHECK (state IN ('DEAD', 'QUEUED', 'REPLAYED', 'DISCARDED')),
    -- When it may be put back, and why that failed the last time.
    retry_at      timestamptz NOT NULL DEFAULT now(),
    replay_error  text,
    settled_at    timestamptz,
    -- Who had it put back or thrown away.
    settled_by    uuid,
    CONSTRAINT dead_letters_once UNIQUE (queue, message_key, replay, digest),
    CHECK ((settled_at IS NULL) = (state IN ('DEAD', 'QUEUED'))),
    CHECK ((body IS NULL) = (state = 'DISCARDED'))
);
CREATE INDEX dead_letters_by_age ON dead_letters (failed_at, id) WHERE state = 'DEAD';
CREATE INDEX dead_letters_by_queue ON dead_letters (queue, failed_at, id) WHERE state = 'DEAD';
CREATE INDEX dead_letters_queued ON dead_letters (retry_at, id) WHERE state = 'QUEUED';
CREATE INDEX dead_letters_settled ON dead_letters (settled_at) WHERE settled_at IS NOT NULL;

-- A message that is put back has as many attempts as a new one. They go on being counted, because each number is the
-- fence of its attempt; so many of them do not count against the limit.
ALTER TABLE deliveries ADD COLUMN forgiven integer NOT NULL DEFAULT 0;
