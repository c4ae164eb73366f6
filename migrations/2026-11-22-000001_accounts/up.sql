-- Who signs in. Addresses are kept as written and compared in their folded (lower-case) form, which the
-- program computes, so that PostgreSQL's locale has no say in who is who.
CREATE TABLE users (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    email_folded  text        NOT NULL CONSTRAINT users_email_taken UNIQUE,
    role          text        NOT NULL CHECK (role IN ('ADMIN', 'SUPERVISOR', 'AGENT')),
    active        boolean     NOT NULL,
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

-- One login and everything that descends from it.
CREATE TABLE sessions (
    id             uuid        PRIMARY KEY,
    user_id        uuid        NOT NULL REFERENCES users,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_used_at   timestamptz NOT NULL DEFAULT now(),
    ip             text,
    user_agent     text        CHECK (length(user_agent) <= 400),
    revoked_at     timestamptz,
    revoked_reason text        CHECK (revoked_reason IN ('LOGOUT', 'REUSE')),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- A token is found by its first half; of the second half only a bcrypt hash is kept.
CREATE TABLE refresh_tokens (
    id          uuid        PRIMARY KEY,
    session_id  uuid        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    lookup      text        NOT NULL UNIQUE CHECK (lookup ~ '^[0-9a-f]{32}$'),
    secret_hash text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    spent_at    timestamptz
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
