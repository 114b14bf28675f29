-- +goose Up
-- Which codes that can be paid hold a bill: when it is paid by one, the others close.
CREATE INDEX payment_lines_open ON payment_lines (ref) WHERE state = 'quoted';
CREATE INDEX payments_awaiting ON payments (expires_at) WHERE state = 'awaiting';
