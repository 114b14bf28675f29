-- +goose Up
-- Which plates a caller looked at lately: the same one again is not counted.
CREATE TABLE fine_lookups (
    id        TEXT   PRIMARY KEY, -- blind index of caller and plate
    looked_at BIGINT NOT NULL
);
CREATE INDEX fine_lookups_age ON fine_lookups (looked_at);
