-- +goose Up
-- What proves a person on a phone by itself. The hash is of a keyed hash: it is of no use
-- without the master key, nor on another row.
CREATE TABLE identity_secrets (
    citizen_id      TEXT   NOT NULL REFERENCES identity_citizens (id),
    phone_index     TEXT   NOT NULL,
    hash            TEXT   NOT NULL, -- argon2id
    called_sealed   BYTEA  NOT NULL, -- what the phone's screens call the person
    set_at          BIGINT NOT NULL,
    tries           BIGINT NOT NULL DEFAULT 0, -- wrong guesses in a row, counted before they are compared
    locked_until_at BIGINT,
    PRIMARY KEY (citizen_id, phone_index)
);
CREATE INDEX identity_secrets_phone ON identity_secrets (phone_index);
