-- +goose Up
-- Phones and personal numbers are kept as blind indexes and sealed values only.
CREATE TABLE identity_phones (
    phone_index TEXT   PRIMARY KEY,
    locale      TEXT   NOT NULL, -- empty: not chosen yet
    changed_at  BIGINT NOT NULL
);

CREATE TABLE identity_citizens (
    id         TEXT   PRIMARY KEY, -- the pseudonym that other parts know
    pin_index  TEXT   NOT NULL UNIQUE,
    pin_sealed BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- One-time codes. Of a phone's codes only the last of each door can be used:
-- "network" is a talk, where the operator vouches for the phone; "open" is REST,
-- where anybody can name any phone.
CREATE TABLE identity_codes (
    id          TEXT   PRIMARY KEY,
    phone_index TEXT   NOT NULL,
    door        TEXT   NOT NULL,
    turn        TEXT   NOT NULL UNIQUE, -- the turn that asked for it: a retry sends no other
    code_mac    TEXT   NOT NULL,        -- keyed hash of id and code
    tries       BIGINT NOT NULL,        -- guesses evaluated
    sent_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    void_at     BIGINT,                 -- a later code took its place
    used_at     BIGINT
);
CREATE INDEX identity_codes_phone ON identity_codes (phone_index, sent_at);

-- An attempt to prove who one is: it carries the sealed personal number from
-- one screen to the next, and counts against guessing.
CREATE TABLE identity_attempts (
    id          TEXT   PRIMARY KEY,
    phone_index TEXT   NOT NULL,
    pin_index   TEXT   NOT NULL,
    pin_sealed  BYTEA  NOT NULL, -- emptied when the attempt is over
    state       TEXT   NOT NULL, -- open, asking, proved, refused, limited, lapsed
    opened_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    asked_at    BIGINT           -- the register was asked
);
CREATE INDEX identity_attempts_phone ON identity_attempts (phone_index, asked_at);
CREATE INDEX identity_attempts_pin ON identity_attempts (pin_index, asked_at);
CREATE INDEX identity_attempts_open ON identity_attempts (expires_at) WHERE state IN ('open', 'asking');

-- A proof binds a phone to a citizen for a while.
CREATE TABLE identity_proofs (
    id          TEXT   PRIMARY KEY,
    phone_index TEXT   NOT NULL,
    citizen_id  TEXT   NOT NULL REFERENCES identity_citizens (id),
    proved_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX identity_proofs_phone ON identity_proofs (phone_index, proved_at);

-- Keys that sign access tokens. The last slot signs, all verify.
CREATE TABLE identity_keys (
    slot           BIGINT PRIMARY KEY,
    kid            TEXT   NOT NULL UNIQUE,
    private_sealed BYTEA  NOT NULL, -- PKCS #8
    created_at     BIGINT NOT NULL
);
