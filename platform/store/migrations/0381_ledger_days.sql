-- +goose Up
-- The ledger's days (Bishkek) that are over, each written once: what every account opened and closed with, and what was
-- posted between. A day's digest is over all of it and over the day before, so that none can be changed by itself.
CREATE TABLE ledger_days (
    day       TEXT   PRIMARY KEY,     -- 2026-11-27
    until_at  BIGINT NOT NULL UNIQUE, -- its end: nothing of before is posted any more
    entries   BIGINT NOT NULL,
    treasury  TEXT   NOT NULL,        -- SHA-256 of the treasury's statement, hexadecimal
    previous  TEXT   NOT NULL,        -- the digest of the day before; empty: this is the first
    digest    TEXT   NOT NULL,
    closed_at BIGINT NOT NULL
);

-- An account has a row for each day since it was first posted to.
CREATE TABLE ledger_day_accounts (
    account   TEXT   NOT NULL,
    day       TEXT   NOT NULL REFERENCES ledger_days (day),
    opening   BIGINT NOT NULL, -- debits are positive
    debit     BIGINT NOT NULL,
    credit    BIGINT NOT NULL,
    closing   BIGINT NOT NULL,
    entries   BIGINT NOT NULL,
    statement TEXT   NOT NULL, -- SHA-256 of a partner's statement, hexadecimal; empty: it has none of its own
    PRIMARY KEY (account, day)
);
CREATE INDEX ledger_day_accounts_day ON ledger_day_accounts (day);

CREATE TABLE ledger_day_kinds (
    account TEXT   NOT NULL,
    day     TEXT   NOT NULL REFERENCES ledger_days (day),
    kind    TEXT   NOT NULL,
    debit   BIGINT NOT NULL,
    credit  BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (account, day, kind)
);
CREATE INDEX ledger_day_kinds_day ON ledger_day_kinds (day);
