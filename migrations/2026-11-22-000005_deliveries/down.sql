DROP TABLE inbox;
DROP TABLE deliveries;
