CREATE TABLE clients (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL,
    email        text        NOT NULL,
    email_folded text        NOT NULL CONSTRAINT clients_email_taken UNIQUE,
    tier         text        NOT NULL CHECK (tier IN ('VIP', 'NORMAL')),
    company      text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clients_by_age ON clients (created_at, id);

CREATE TABLE agents (
    id           uuid        PRIMARY KEY,
    name         text        NOT NULL,
    email        text        NOT NULL,
    email_folded text        NOT NULL CONSTRAINT agents_email_taken UNIQUE,
    level        smallint    NOT NULL CHECK (level BETWEEN 1 AND 3),
    active       boolean     NOT NULL,
    user_id      uuid        CONSTRAINT agents_user_taken UNIQUE CONSTRAINT agents_user_exists REFERENCES users,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agents_by_age ON agents (created_at, id);
