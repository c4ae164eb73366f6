DROP TABLE event_feed_end;
DROP TABLE event_feed;
DROP INDEX outbox_by_transaction;
ALTER TABLE outbox DROP COLUMN tx, DROP COLUMN seq;
