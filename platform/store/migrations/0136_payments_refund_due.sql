-- +goose Up
-- What is due back is listed and counted; few payments are.
CREATE INDEX payments_refund_due ON payments (finished_at, id) WHERE state = 'refund_due';
