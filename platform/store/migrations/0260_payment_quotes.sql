-- +goose Up
-- A partner opens payments of its own: bills that its user found there, at a price that holds for a while.
-- Whose quote a payment is; empty: a citizen's. Nobody else pays it.
ALTER TABLE payments ADD COLUMN partner_id TEXT NOT NULL DEFAULT '';
CREATE INDEX payments_quotes ON payments (partner_id, id) WHERE partner_id <> '';
