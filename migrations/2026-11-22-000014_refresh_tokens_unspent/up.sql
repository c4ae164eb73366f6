-- Whether a login can still go on: of a family one token at most is not spent.
CREATE INDEX CONCURRENTLY refresh_tokens_unspent ON refresh_tokens (session_id) WHERE spent_at IS NULL;
