DROP TABLE agents;
DROP TABLE clients;
