-- What pgbench needs besides the product's own tables: numbers for tickets and clients, because it can only draw numbers, and
-- identifiers that grow with time, as ours do.
CREATE SCHEMA bench;

CREATE FUNCTION bench.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(gen_random_uuid()::text, 15))::uuid
    FROM lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS h
$$;

CREATE TABLE bench.tickets AS
    SELECT row_number() OVER (ORDER BY md5(number::text)) AS n, id FROM tickets WHERE deleted_at IS NULL;
ALTER TABLE bench.tickets ADD PRIMARY KEY (n);

-- Tickets that may go to and fro between IN_PROGRESS and WAITING for ever.
CREATE TABLE bench.movable AS
    SELECT row_number() OVER (ORDER BY md5(number::text)) AS n, id, status FROM tickets
    WHERE deleted_at IS NULL AND status IN ('IN_PROGRESS', 'WAITING');
ALTER TABLE bench.movable ADD PRIMARY KEY (n);

CREATE TABLE bench.clients AS SELECT row_number() OVER (ORDER BY id) AS n, id FROM clients;
ALTER TABLE bench.clients ADD PRIMARY KEY (n);

-- A document of each kind, of the usual length.
CREATE TABLE bench.documents AS
    SELECT DISTINCT ON (type) type, body::text AS body FROM outbox
    WHERE type IN ('pro.techsupport.ticket.created.v1', 'pro.techsupport.ticket.status_changed.v1');
ALTER TABLE bench.documents ADD PRIMARY KEY (type);
