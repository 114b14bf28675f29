-- +goose Up
-- A bill's money may be due back while another bill of the payment is in doubt.
DROP INDEX payments_refund_due;
CREATE INDEX payments_back ON payments (accepted_at, id) WHERE state IN ('refund_due', 'in_doubt');
