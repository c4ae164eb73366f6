-- All that replicas read to learn which logins have ended.
CREATE INDEX CONCURRENTLY sessions_by_end ON sessions (revoked_at, id) WHERE revoked_at IS NOT NULL;
