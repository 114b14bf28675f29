-- +goose Up
-- A transaction's decision is kept in words of our own. Until now it was a result
-- number of the OSMP protocol, which is only one of the ways to pay.
ALTER TABLE payment_txns ADD COLUMN decision TEXT NOT NULL DEFAULT 'not_now';
UPDATE payment_txns SET decision = CASE result
    WHEN 0 THEN 'approved'
    WHEN 4 THEN 'malformed_code'
    WHEN 5 THEN 'unknown_code'
    WHEN 79 THEN 'not_payable'
    WHEN 241 THEN 'sum_too_small'
    WHEN 242 THEN 'sum_too_large'
    ELSE 'not_now' END;
DROP INDEX payment_txns_payment;
ALTER TABLE payment_txns DROP COLUMN result;
CREATE INDEX payment_txns_payment ON payment_txns (payment_id) WHERE decision = 'approved';
