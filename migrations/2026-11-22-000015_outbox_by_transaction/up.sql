-- All that the pass which numbers events reads. Rows that were there before 000010 are not in it.
CREATE INDEX CONCURRENTLY outbox_by_transaction ON outbox (tx) WHERE tx IS NOT NULL;
