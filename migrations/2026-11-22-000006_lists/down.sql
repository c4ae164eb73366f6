DROP TRIGGER tickets_tallied_when_gone ON tickets;
DROP TRIGGER tickets_tallied_when_deleted ON tickets;
DROP TRIGGER tickets_tallied_when_entered ON tickets;
DROP FUNCTION tally_ticket();
DROP TABLE ticket_tally;
DROP INDEX agents_by_activity;
DROP INDEX clients_by_tier;
DROP INDEX agents_by_part;
DROP INDEX clients_by_part;
DROP INDEX ticket_timeline_by_time;
DROP INDEX sla_clocks_by_state;
ALTER TABLE tickets DROP COLUMN words, DROP COLUMN phase, DROP COLUMN due_at, DROP COLUMN tags;
DROP TEXT SEARCH CONFIGURATION ticket_words;
-- The extensions stay: nobody knows whether they were here before, and others may use them.
