-- +goose Up
-- What one officer asks for and another person decides. All that it says is sealed with its
-- id, the arguments too: they may name a person.
CREATE TABLE staff_proposals (
    id          TEXT   PRIMARY KEY,
    operation   TEXT   NOT NULL,
    sealed      BYTEA  NOT NULL,
    proposed_by TEXT   NOT NULL REFERENCES staff_accounts (id),
    proposed_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    outcome     TEXT   NOT NULL DEFAULT '', -- approved, rejected
    decided_by  TEXT   NOT NULL DEFAULT '',
    decided_at  BIGINT
);
CREATE INDEX staff_proposals_waiting ON staff_proposals (outcome, expires_at);
