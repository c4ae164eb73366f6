-- What an event is about when it is no ticket: the id of an import. `ticket_id` then holds the same id and says nothing
-- of a ticket: relays of the release before read it, and fail all that they have taken when it is null.
ALTER TABLE outbox ADD COLUMN subject text;

-- Uploaded files, in parts of bounded size. Without compression: an .xlsx is an archive already. Gone when their import
-- has ended, or when nobody asked for one in time.
CREATE TABLE import_files (
    id         uuid        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX import_files_by_age ON import_files (created_at);
CREATE TABLE import_file_parts (
    file_id uuid    NOT NULL REFERENCES import_files ON DELETE CASCADE,
    number  integer NOT NULL CHECK (number >= 0),
    data    bytea   NOT NULL,
    PRIMARY KEY (file_id, number)
);
ALTER TABLE import_file_parts ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE import_processes (
    id            uuid        PRIMARY KEY,
    -- The order in which files were uploaded: of two that tell of the same ticket the later one counts, whichever is
    -- read first.
    number        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT import_processes_number UNIQUE,
    file_id       uuid        REFERENCES import_files ON DELETE SET NULL,
    file_name     text        NOT NULL,
    file_kind     text        NOT NULL CHECK (file_kind IN ('XLSX', 'CSV')),
    uploaded_by   uuid        REFERENCES users,
    status        text        NOT NULL
        CHECK (status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED')),
    -- Rows. The total is not known before the file has been read once.
    total         integer,
    processed     integer     NOT NULL DEFAULT 0,
    failed        integer     NOT NULL DEFAULT 0,
    error         text,
    -- The checkpoint: the last row of the sheet that is done.
    reached_row   integer     NOT NULL DEFAULT 0,
    -- Who works on it: whoever claimed it last, until the lease ends. Nobody else can write.
    fence         integer     NOT NULL DEFAULT 0,
    lease_until   timestamptz,
    -- Claims since the checkpoint last moved.
    idle_claims   integer     NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    CHECK ((finished_at IS NULL) = (status IN ('PENDING', 'PROCESSING'))),
    -- At the end the sum is right, whatever happened.
    CHECK (finished_at IS NULL OR (total IS NOT NULL AND processed + failed = total))
);
CREATE INDEX import_processes_by_age ON import_processes (created_at DESC, id DESC);
CREATE INDEX import_processes_unfinished ON import_processes (created_at) WHERE finished_at IS NULL;

-- What is wrong with rows. Place is the row and, within it, which of its faults.
CREATE TABLE import_errors (
    process_id uuid    NOT NULL REFERENCES import_processes ON DELETE CASCADE,
    place      bigint  NOT NULL,
    sheet_row  integer NOT NULL,
    column_name text,
    value      text    NOT NULL,
    detail     text    NOT NULL,
    PRIMARY KEY (process_id, place)
);

-- Tickets of the past. Ids are the file's own, so they are text, compared byte by byte.
CREATE TABLE imported_tickets (
    ticket_id        text        COLLATE "C" PRIMARY KEY,
    client_id        text        COLLATE "C" NOT NULL,
    client_type      text        NOT NULL CHECK (client_type IN ('VIP', 'NORMAL')),
    status           text        NOT NULL
        CHECK (status IN ('OPEN', 'IN_PROGRESS', 'WAITING', 'ESCALATED', 'RESOLVED', 'CLOSED')),
    escalation_level smallint    NOT NULL CHECK (escalation_level BETWEEN 0 AND 3),
    agent_id         text        COLLATE "C",
    created_at       timestamptz NOT NULL,
    resolved_at      timestamptz CHECK (resolved_at >= created_at),
    -- Where it comes from: the later file and, within it, the later row counts.
    import_number    bigint      NOT NULL,
    sheet_row        integer     NOT NULL,
    CHECK (status NOT IN ('RESOLVED', 'CLOSED') OR resolved_at IS NOT NULL)
);
