-- +goose Up
-- Money is BIGINT tyiyn (1 som = 100 tyiyn) everywhere.
CREATE TABLE partners (
    id          TEXT   PRIMARY KEY,
    secret_hash TEXT   NOT NULL, -- argon2id
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT
);

-- A payment is the citizen's intent to pay certain bills at a certain price.
CREATE TABLE payments (
    id           TEXT   PRIMARY KEY,
    code         TEXT   NOT NULL UNIQUE, -- what the citizen pays by
    service      TEXT   NOT NULL,
    owner        TEXT   NOT NULL, -- blind index of the phone
    phone_sealed BYTEA  NOT NULL,
    open_key     TEXT   NOT NULL UNIQUE, -- the turn that opened it: a retry finds it
    locale       TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    operator     TEXT   NOT NULL,
    amount       BIGINT NOT NULL,
    state        TEXT   NOT NULL, -- quoted, awaiting, accepted, settled, refund_due, refused
    opened_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    confirmed_at BIGINT,
    accepted_at  BIGINT, -- also the payment date that the register is told
    finished_at  BIGINT,
    worked_at    BIGINT  -- the last settlement's start
);

CREATE TABLE payment_lines (
    payment_id TEXT    NOT NULL REFERENCES payments (id),
    n          BIGINT  NOT NULL,
    ref        TEXT    NOT NULL, -- the bill's number in its register
    amount     BIGINT  NOT NULL,
    state      TEXT    NOT NULL, -- quoted, claimed, settled, refund_due
    reason     TEXT    NOT NULL, -- why a refund is due
    sent       BOOLEAN NOT NULL, -- a settlement may have reached the register
    PRIMARY KEY (payment_id, n)
);

-- A claim is what keeps a bill from being paid twice, whichever the channels.
-- It goes when the money has to go back.
CREATE TABLE payment_claims (
    service    TEXT NOT NULL,
    ref        TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (service, ref)
);

-- What each partner's transaction was answered, for good.
CREATE TABLE payment_txns (
    partner_id  TEXT   NOT NULL,
    txn_id      TEXT   NOT NULL, -- up to 28 digits
    prv_txn     TEXT   NOT NULL UNIQUE,
    account     TEXT   NOT NULL,
    amount      BIGINT NOT NULL,
    paid_at     BIGINT NOT NULL, -- the partner's own date of the payment
    received_at BIGINT NOT NULL,
    payment_id  TEXT   NOT NULL, -- empty: none was found
    result      BIGINT NOT NULL, -- OSMP result code
    PRIMARY KEY (partner_id, txn_id)
);

CREATE TABLE ledger_entries (
    id          TEXT   PRIMARY KEY,
    kind        TEXT   NOT NULL, -- accept, settle, refund
    payment_id  TEXT   NOT NULL REFERENCES payments (id),
    line        BIGINT NOT NULL, -- -1: the whole payment
    happened_at BIGINT NOT NULL,
    UNIQUE (payment_id, line, kind)
);

-- Postings of an entry sum to zero: debits are positive, credits negative.
CREATE TABLE ledger_postings (
    entry_id TEXT   NOT NULL REFERENCES ledger_entries (id),
    n        BIGINT NOT NULL,
    account  TEXT   NOT NULL,
    amount   BIGINT NOT NULL,
    PRIMARY KEY (entry_id, n)
);
CREATE INDEX ledger_postings_account ON ledger_postings (account);
