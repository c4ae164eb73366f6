DROP TABLE imported_tickets;
DROP TABLE import_errors;
DROP TABLE import_processes;
DROP TABLE import_file_parts;
DROP TABLE import_files;
-- An earlier program takes every event for one about a ticket.
DELETE FROM event_feed WHERE event_id IN (SELECT id FROM outbox WHERE subject IS NOT NULL);
DELETE FROM outbox WHERE subject IS NOT NULL;
ALTER TABLE outbox DROP COLUMN subject;
