DROP TABLE outbox;
DROP TABLE ticket_timeline;
DROP TABLE sla_steps;
DROP TABLE sla_clocks;
DROP TABLE tickets;
