ALTER TABLE deliveries DROP COLUMN forgiven;
DROP TABLE dead_letters;
