-- +goose Up
CREATE TABLE certificates (
    id            TEXT   PRIMARY KEY,
    number        TEXT   NOT NULL UNIQUE, -- 10 characters and a check character
    request_key   TEXT   NOT NULL UNIQUE, -- blind index of the citizen and the turn that asked
    citizen_id    TEXT   NOT NULL,
    kind          TEXT   NOT NULL, -- residence, family
    state         TEXT   NOT NULL, -- requested: the intent, before the signature; issued; revoked
    intent_sealed BYTEA  NOT NULL, -- the record to sign, and whom to tell
    signed_sealed BYTEA, -- the COSE_Sign1 record
    requested_at  BIGINT NOT NULL,
    issued_at     BIGINT,
    revoked_at    BIGINT
);
CREATE INDEX certificates_citizen ON certificates (citizen_id, requested_at);
