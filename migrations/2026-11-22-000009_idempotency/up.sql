-- Answers of requests with an Idempotency-Key, each written in the transaction of the change it tells of.
-- What identifies the request (caller, method, path, key) and its body are digests: SHA-256.
CREATE TABLE idempotency_keys (
    id          bytea       PRIMARY KEY CHECK (length(id) = 32),
    fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
    status      smallint    NOT NULL CHECK (status BETWEEN 100 AND 599),
    headers     jsonb       NOT NULL CHECK (jsonb_typeof(headers) = 'array'), -- [["location", "/api/…"], …]
    body        bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL
);
-- All that the pass which forgets them reads.
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
