-- A policy is chosen by tier and priority; the more specific one (a priority is named) wins. It is
-- versioned: a version is never changed, a clock remembers the one it runs on.
CREATE TABLE sla_policies (
    id          uuid        PRIMARY KEY,
    name        text        NOT NULL UNIQUE,
    client_tier text        NOT NULL CHECK (client_tier IN ('VIP', 'NORMAL')),
    priority    smallint    CHECK (priority BETWEEN 1 AND 4),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sla_policies_scope UNIQUE NULLS NOT DISTINCT (client_tier, priority)
);

CREATE TABLE sla_policy_versions (
    id         uuid        PRIMARY KEY,
    policy_id  uuid        NOT NULL REFERENCES sla_policies,
    version    integer     NOT NULL CHECK (version >= 1),
    calendar   text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sla_policy_versions_count UNIQUE (policy_id, version)
);

CREATE TABLE sla_policy_targets (
    policy_version_id uuid    NOT NULL REFERENCES sla_policy_versions ON DELETE CASCADE,
    metric            text    NOT NULL CHECK (metric IN ('FIRST_RESPONSE', 'RESOLUTION')),
    target_minutes    integer NOT NULL CHECK (target_minutes BETWEEN 1 AND 525600),
    PRIMARY KEY (policy_version_id, metric)
);

-- Step 0 is the breach. A step is due at an offset in working minutes from the deadline, or at a percentage
-- of the target.
CREATE TABLE sla_policy_steps (
    policy_version_id uuid     NOT NULL,
    metric            text     NOT NULL,
    step              smallint NOT NULL,
    offset_minutes    integer,
    percent           smallint CHECK (percent BETWEEN 1 AND 99),
    action            text     NOT NULL CHECK (action IN ('WARN', 'ESCALATE', 'NOTIFY_SUPERVISOR')),
    PRIMARY KEY (policy_version_id, metric, step),
    FOREIGN KEY (policy_version_id, metric) REFERENCES sla_policy_targets ON DELETE CASCADE,
    CHECK ((offset_minutes IS NULL) <> (percent IS NULL))
);

-- The rules of the original service.
INSERT INTO sla_policies (id, name, client_tier) VALUES
    ('01976f00-0000-7000-8000-000000000001', 'VIP', 'VIP'),
    ('01976f00-0000-7000-8000-000000000002', 'NORMAL', 'NORMAL');
INSERT INTO sla_policy_versions (id, policy_id, version, calendar) VALUES
    ('01976f00-0000-7000-8000-000000000011', '01976f00-0000-7000-8000-000000000001', 1, '24X7'),
    ('01976f00-0000-7000-8000-000000000012', '01976f00-0000-7000-8000-000000000002', 1, '24X7');
INSERT INTO sla_policy_targets (policy_version_id, metric, target_minutes) VALUES
    ('01976f00-0000-7000-8000-000000000011', 'FIRST_RESPONSE', 120),
    ('01976f00-0000-7000-8000-000000000012', 'FIRST_RESPONSE', 1440);
INSERT INTO sla_policy_steps (policy_version_id, metric, step, offset_minutes, action) VALUES
    ('01976f00-0000-7000-8000-000000000011', 'FIRST_RESPONSE', 0, 0, 'ESCALATE'),
    ('01976f00-0000-7000-8000-000000000012', 'FIRST_RESPONSE', 0, 0, 'NOTIFY_SUPERVISOR');
