-- +goose Up
-- A record is written in the transaction of what it tells about, with no place
-- in the chain: n and mac are NULL until it is sealed. No row is contended.
CREATE TABLE audit_records (
    id          TEXT   PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    actor       TEXT   NOT NULL, -- who did it: a citizen's id, a blind index, a part of ours
    action      TEXT   NOT NULL,
    object      TEXT   NOT NULL, -- what it was done to
    subject     TEXT   NOT NULL, -- whose data it was: a citizen's id or a blind index
    purpose     TEXT   NOT NULL,
    n           BIGINT UNIQUE,   -- place in the chain, from 1
    mac         TEXT             -- keyed hash of the record and the mac before it
);
CREATE INDEX audit_records_unsealed ON audit_records (id) WHERE n IS NULL;

-- The end of the chain, one row: without it, cutting off the last records would
-- leave a shorter chain that is whole.
CREATE TABLE audit_head (
    id  BIGINT PRIMARY KEY,
    n   BIGINT NOT NULL,
    mac TEXT   NOT NULL, -- of the last record
    own TEXT   NOT NULL  -- keyed hash of n and mac
);
