DROP TRIGGER imported_tickets_forgotten ON imported_tickets;
DROP TRIGGER imported_tickets_noted_when_entered ON imported_tickets;
DROP TRIGGER imported_tickets_noted_when_changed ON imported_tickets;
DROP TRIGGER imported_tickets_noted_when_gone ON imported_tickets;
DROP FUNCTION forget_imported_sums();
DROP FUNCTION note_imported_changes();
DROP FUNCTION duration_us(interval);
DROP TABLE imported_changes;
