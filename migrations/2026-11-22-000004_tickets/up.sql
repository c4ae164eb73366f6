CREATE SEQUENCE ticket_numbers AS bigint;

-- Neither status nor updated_at is indexed: a change of status is then a heap-only update.
CREATE TABLE tickets (
    id               uuid        PRIMARY KEY,
    number           bigint      NOT NULL CONSTRAINT tickets_number_taken UNIQUE,
    version          bigint      NOT NULL CHECK (version >= 1),
    title            text        NOT NULL,
    description      text        NOT NULL,
    status           text        NOT NULL
        CHECK (status IN ('OPEN', 'IN_PROGRESS', 'WAITING', 'ESCALATED', 'RESOLVED', 'CLOSED')),
    priority         smallint    NOT NULL CHECK (priority BETWEEN 1 AND 4),
    client_id        uuid        NOT NULL REFERENCES clients,
    agent_id         uuid        REFERENCES agents,
    escalation_level smallint    NOT NULL CHECK (escalation_level BETWEEN 0 AND 3),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    resolved_at      timestamptz,
    deleted_at       timestamptz
) WITH (fillfactor = 85);
ALTER SEQUENCE ticket_numbers OWNED BY tickets.number;
CREATE INDEX tickets_by_age ON tickets (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_priority ON tickets (priority, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_client ON tickets (client_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_by_agent ON tickets (agent_id, created_at, id) WHERE deleted_at IS NULL;

-- A clock counts working time: what it had used up before it last began to run, and since when it runs.
CREATE TABLE sla_clocks (
    ticket_id         uuid        NOT NULL REFERENCES tickets,
    metric            text        NOT NULL CHECK (metric IN ('FIRST_RESPONSE', 'RESOLUTION')),
    policy_version_id uuid        NOT NULL REFERENCES sla_policy_versions,
    cycle             smallint    NOT NULL CHECK (cycle >= 1),
    started_at        timestamptz NOT NULL,
    running_since     timestamptz,
    paused_at         timestamptz,
    stopped_at        timestamptz,
    consumed_us       bigint      NOT NULL CHECK (consumed_us >= 0), -- microseconds
    due_at            timestamptz NOT NULL,
    steps_run         smallint[]  NOT NULL,
    warned_at         timestamptz,
    breached_at       timestamptz,
    next_step_at      timestamptz,
    -- A ticket the sweep cannot process is hidden from it until then, and shown to the operator.
    set_aside_until   timestamptz,
    set_aside_count   integer     NOT NULL DEFAULT 0,
    set_aside_reason  text,
    state             text        NOT NULL GENERATED ALWAYS AS (
        CASE WHEN breached_at IS NOT NULL THEN 'BREACHED'
             WHEN stopped_at IS NOT NULL THEN 'MET'
             WHEN paused_at IS NOT NULL THEN 'PAUSED'
             WHEN warned_at IS NOT NULL THEN 'WARNED'
             ELSE 'RUNNING' END) STORED,
    wake_at           timestamptz GENERATED ALWAYS AS (
        CASE WHEN next_step_at IS NOT NULL THEN greatest(next_step_at, set_aside_until) END) STORED,
    PRIMARY KEY (ticket_id, metric),
    CHECK (num_nonnulls(running_since, paused_at, stopped_at) = 1)
) WITH (fillfactor = 85);
-- All the sweep reads.
CREATE INDEX sla_clocks_to_wake ON sla_clocks (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX sla_clocks_set_aside ON sla_clocks (set_aside_until) WHERE set_aside_until IS NOT NULL;

-- The key that makes every step of every cycle happen once, whatever crashes, and however many sweep.
CREATE TABLE sla_steps (
    ticket_id uuid        NOT NULL REFERENCES tickets,
    metric    text        NOT NULL,
    cycle     smallint    NOT NULL,
    step      smallint    NOT NULL,
    due_at    timestamptz NOT NULL,
    ran_at    timestamptz NOT NULL,
    event_id  uuid        NOT NULL,
    CONSTRAINT sla_steps_once PRIMARY KEY (ticket_id, metric, cycle, step)
);

CREATE TABLE ticket_timeline (
    ticket_id uuid        NOT NULL REFERENCES tickets,
    at        timestamptz NOT NULL,
    id        uuid        NOT NULL,
    actor_id  uuid        REFERENCES users, -- null: the desk itself
    action    text        NOT NULL,
    before    jsonb       NOT NULL,
    after     jsonb       NOT NULL,
    event_id  uuid        NOT NULL,
    PRIMARY KEY (ticket_id, at, id)
);

-- Every event, in the transaction of the change it tells of. `json`, not `jsonb`: what is published is the
-- document to the letter.
CREATE TABLE outbox (
    id           uuid        PRIMARY KEY,
    type         text        NOT NULL,
    ticket_id    uuid        NOT NULL,
    at           timestamptz NOT NULL,
    traceparent  text        NOT NULL,
    body         json        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0,
    last_error   text,
    retry_at     timestamptz NOT NULL DEFAULT '-infinity'
);
-- All the relay reads. What has to wait for another try sorts behind what has not.
CREATE INDEX outbox_to_publish ON outbox (retry_at, id) WHERE published_at IS NULL;
