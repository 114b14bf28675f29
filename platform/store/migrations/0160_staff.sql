-- +goose Up
-- Those who serve. What decides what an account may do is under its mac, which nobody makes
-- who can write to the database and lacks the master key.
CREATE TABLE staff_accounts (
    id            TEXT   PRIMARY KEY,
    login         TEXT   NOT NULL UNIQUE,
    person        TEXT   NOT NULL, -- personnel number: accounts of one person are one approver
    role          TEXT   NOT NULL,
    office        TEXT   NOT NULL, -- of a clerk; empty for others
    password_hash TEXT   NOT NULL,
    totp_sealed   BYTEA  NOT NULL,
    totp_step     BIGINT NOT NULL DEFAULT 0, -- of the last code taken: no code is taken twice
    founder       BIGINT UNIQUE,             -- 1: the account that was made while there was none
    made_at       BIGINT NOT NULL,
    disabled_at   BIGINT,
    mac           TEXT   NOT NULL
);

CREATE TABLE staff_sessions (
    token_mac  TEXT   PRIMARY KEY, -- keyed hash of the token, which is kept nowhere
    account_id TEXT   NOT NULL REFERENCES staff_accounts (id),
    begun_at   BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- however much it is used
);
CREATE INDEX staff_sessions_account ON staff_sessions (account_id);
CREATE INDEX staff_sessions_expires ON staff_sessions (expires_at);

-- How often it was tried to sign in: to an account from an origin, from an origin to any
-- account (account is empty), and to an account from anywhere (origin is empty). Both are
-- blind indexes; names that nobody has are counted like others.
CREATE TABLE staff_attempts (
    account  TEXT   NOT NULL,
    origin   TEXT   NOT NULL,
    tries    BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    good_at  BIGINT, -- the last time that it was the account's holder
    PRIMARY KEY (account, origin)
);
CREATE INDEX staff_attempts_since ON staff_attempts (since_at);
