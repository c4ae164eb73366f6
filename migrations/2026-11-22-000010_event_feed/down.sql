DROP TABLE event_feed_end;
DROP TABLE event_feed;
ALTER TABLE outbox DROP COLUMN tx, DROP COLUMN seq;
