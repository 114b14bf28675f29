-- +goose Up
-- What fsck and a settlement look up by the payment: without these they read the
-- whole table for each.
CREATE INDEX payment_txns_payment ON payment_txns (payment_id) WHERE result = 0;
CREATE INDEX payment_claims_payment ON payment_claims (payment_id);
CREATE INDEX payment_lines_doubt ON payment_lines (doubted_at) WHERE state = 'in_doubt';
