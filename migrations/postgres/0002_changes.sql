-- One row: how often something was changed that ends sessions, tokens or rights. Other processes look at it to know that they must look again.
CREATE TABLE changes (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    count       BIGINT NOT NULL
);
INSERT INTO changes (id, count) VALUES (1, 0);
