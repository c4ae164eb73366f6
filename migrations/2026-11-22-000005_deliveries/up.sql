-- One row for each event and channel. No foreign key to the outbox: a worker may be fed from elsewhere, and
-- what was delivered must outlive what was published.
CREATE TABLE deliveries (
    event_id        uuid        NOT NULL,
    channel         text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('PENDING', 'DELIVERED', 'DEAD')),
    attempts        integer     NOT NULL CHECK (attempts >= 0),
    lease_until     timestamptz,
    next_attempt_at timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz,
    PRIMARY KEY (event_id, channel),
    CHECK ((settled_at IS NULL) = (state = 'PENDING'))
);
CREATE INDEX deliveries_by_state ON deliveries (state) WHERE state <> 'DELIVERED';

-- What a consumer has finished with. A message that comes again is dropped.
CREATE TABLE inbox (
    consumer     text        NOT NULL,
    event_id     uuid        NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
