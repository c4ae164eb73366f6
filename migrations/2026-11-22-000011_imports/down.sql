DROP TABLE imported_tickets;
DROP TABLE import_errors;
DROP TABLE import_processes;
DROP TABLE import_file_parts;
DROP TABLE import_files;
-- An earlier program knows no event without a ticket.
DELETE FROM event_feed WHERE event_id IN (SELECT id FROM outbox WHERE ticket_id IS NULL);
DELETE FROM outbox WHERE ticket_id IS NULL;
ALTER TABLE outbox DROP CONSTRAINT outbox_has_a_subject;
ALTER TABLE outbox DROP COLUMN subject, ALTER COLUMN ticket_id SET NOT NULL;
