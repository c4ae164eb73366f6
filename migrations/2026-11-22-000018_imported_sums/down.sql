DROP FUNCTION make_imported_sums();
DROP TABLE imported_by_duration, imported_by_agent, imported_by_hour, imported_facts;
DROP FUNCTION duration_bucket(bigint);
DROP FUNCTION duration_bucket_width(bigint);
