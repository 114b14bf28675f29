-- +goose Up
-- Which plates a caller looked at lately: the same one again is not counted.
CREATE TABLE fine_lookups (
    id        TEXT   PRIMARY KEY, -- blind index of caller and plate
    looked_at BIGINT NOT NULL
);
CREATE INDEX fine_lookups_age ON fine_lookups (looked_at);

-- A fine has two numbers: it is paid by the one and asked about by the other.
CREATE TABLE fine_protocols (
    payment_number  TEXT PRIMARY KEY,
    protocol_number TEXT NOT NULL
);
