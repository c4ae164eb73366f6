-- What reports read of the imported tickets. Everything here follows `imported_changes`, a little later; numbers may be
-- below zero in between, because of two changes of a ticket the later may be moved first.

-- The tickets themselves, as far as reports care, like ones together: for the parts of an hour or a month at both ends
-- of what is reported on, and for exact percentiles. A table of its own, so that imports need no further indexes.
CREATE TABLE imported_facts (
    created_at  timestamptz NOT NULL,
    duration_us bigint,
    tickets     bigint      NOT NULL,
    client_type text        NOT NULL,
    status      text        NOT NULL,
    escalated   boolean     NOT NULL,
    agent_id    text        COLLATE "C"
);

-- By whole hours of UTC: most zones begin their months and weeks at one.
CREATE TABLE imported_by_hour (
    hour           timestamptz NOT NULL,
    client_type    text        NOT NULL,
    open           bigint      NOT NULL,
    in_progress    bigint      NOT NULL,
    waiting        bigint      NOT NULL,
    escalated      bigint      NOT NULL,
    resolved       bigint      NOT NULL,
    closed         bigint      NOT NULL,
    ever_escalated bigint      NOT NULL, -- whatever the status
    PRIMARY KEY (hour, client_type)
) WITH (fillfactor = 80);

-- The rest is about resolved tickets, by months of UTC.
CREATE TABLE imported_by_agent (
    month       timestamptz NOT NULL,
    client_type text        NOT NULL,
    agent_id    text        COLLATE "C" NOT NULL,
    tickets     bigint      NOT NULL,
    total_us    numeric     NOT NULL,
    PRIMARY KEY (month, client_type, agent_id)
) WITH (fillfactor = 80);

-- How many took about as long, to find in which bucket a percentile lies.
CREATE TABLE imported_by_duration (
    month       timestamptz NOT NULL,
    client_type text        NOT NULL,
    bucket_us   bigint      NOT NULL,
    tickets     bigint      NOT NULL,
    total_us    numeric     NOT NULL,
    PRIMARY KEY (month, client_type, bucket_us)
) WITH (fillfactor = 80);

-- How wide the bucket of a duration is. Each width divides the place where the next one begins.
CREATE FUNCTION duration_bucket_width(us bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN us < 3600000000 THEN 10000000         -- within an hour: 10 seconds
        WHEN us < 86400000000 THEN 120000000       -- a day: 2 minutes
        WHEN us < 864000000000 THEN 1800000000     -- 10 days: 30 minutes
        WHEN us < 8640000000000 THEN 14400000000   -- 100 days: 4 hours
        ELSE 86400000000 END;

-- Where the bucket of a duration begins.
CREATE FUNCTION duration_bucket(us bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN us - us % duration_bucket_width(us);

-- Makes all of this anew, from the tickets but for what has been noted of them and not been moved: one snapshot of both,
-- so that nobody has to be kept from the tickets, nor from what is here while others read it. Whoever moves notes waits.
-- In the order of time, so that neighbours lie together. Not within a transaction that took its snapshot before.
CREATE FUNCTION make_imported_sums() RETURNS void LANGUAGE sql AS $$
    LOCK TABLE imported_facts IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM imported_facts;
    DELETE FROM imported_by_hour;
    DELETE FROM imported_by_agent;
    DELETE FROM imported_by_duration;
    INSERT INTO imported_facts (created_at, duration_us, tickets, client_type, status, escalated, agent_id)
    SELECT x.created_at, x.duration_us, sum(x.tickets), x.client_type, x.status, x.escalated, x.agent_id
    FROM (
        SELECT t.created_at, duration_us(t.resolved_at - t.created_at) AS duration_us, 1 AS tickets, t.client_type,
            t.status, t.escalation_level > 0 OR t.status = 'ESCALATED' AS escalated, t.agent_id
        FROM imported_tickets t
        UNION ALL
        SELECT c.created_at, c.duration_us, -c.tickets, c.client_type, c.status, c.escalated, c.agent_id
        FROM imported_changes c
    ) AS x
    GROUP BY 1, 2, 4, 5, 6, 7 HAVING sum(x.tickets) <> 0 ORDER BY 1;
    INSERT INTO imported_by_hour
    SELECT date_trunc('hour', f.created_at, 'UTC'), f.client_type,
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'OPEN'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'IN_PROGRESS'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'WAITING'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'ESCALATED'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'RESOLVED'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.status = 'CLOSED'), 0),
        coalesce(sum(f.tickets) FILTER (WHERE f.escalated), 0)
    FROM imported_facts f GROUP BY 1, 2;
    INSERT INTO imported_by_agent
    SELECT date_trunc('month', f.created_at, 'UTC'), f.client_type, f.agent_id, sum(f.tickets),
        sum(f.tickets::numeric * f.duration_us)
    FROM imported_facts f WHERE f.duration_us IS NOT NULL AND f.agent_id IS NOT NULL GROUP BY 1, 2, 3;
    INSERT INTO imported_by_duration
    SELECT date_trunc('month', f.created_at, 'UTC'), f.client_type, duration_bucket(f.duration_us), sum(f.tickets),
        sum(f.tickets::numeric * f.duration_us)
    FROM imported_facts f WHERE f.duration_us IS NOT NULL GROUP BY 1, 2, 3;
$$;
SELECT make_imported_sums();

-- A file may know no more of times than the day: the rest leads to the fact that changes.
CREATE INDEX imported_facts_by_age ON imported_facts
    (created_at, coalesce(duration_us, -1), coalesce(agent_id, ''));
CREATE INDEX imported_facts_by_duration ON imported_facts (client_type, duration_us, created_at) INCLUDE (tickets)
    WHERE duration_us IS NOT NULL;
