-- A user's logins, and those that are ended together.
CREATE INDEX CONCURRENTLY sessions_living ON sessions (user_id, created_at, id) WHERE revoked_at IS NULL;
