-- +goose Up
-- Entries of the ledger that are of no payment: what a partner paid over to the treasury, and what was found not to have come.
CREATE TABLE ledger_transfers (
    id          TEXT   PRIMARY KEY,
    kind        TEXT   NOT NULL, -- remittance, remittance_undone
    partner_id  TEXT   NOT NULL,
    source      TEXT   NOT NULL, -- the account that is debited
    destination TEXT   NOT NULL, -- and credited
    amount      BIGINT NOT NULL, -- tyiyn
    reference   TEXT   NOT NULL, -- the number of the bank's document
    happened_at BIGINT NOT NULL,
    UNIQUE (partner_id, reference, kind)
);
CREATE INDEX ledger_transfers_day ON ledger_transfers (happened_at);
