-- What people say about a ticket. Written together with the timeline row that tells of it, never changed.
CREATE TABLE ticket_comments (
    id         uuid        PRIMARY KEY,
    ticket_id  uuid        NOT NULL REFERENCES tickets,
    author_id  uuid        NOT NULL REFERENCES users,
    visibility text        NOT NULL CHECK (visibility IN ('PUBLIC', 'INTERNAL')),
    body       text        NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ticket_comments_by_ticket ON ticket_comments (ticket_id, created_at, id);
