-- +goose Up
-- That a partner asked for a settled payment to go back, and what staff decided of it. One for each payment.
CREATE TABLE payment_refund_requests (
    payment_id TEXT   PRIMARY KEY REFERENCES payments (id),
    partner_id TEXT   NOT NULL, -- who asked, which is who took the money
    reason     TEXT   NOT NULL, -- by_mistake, twice, bill_cancelled, not_payer
    state      TEXT   NOT NULL, -- asked, refused, approved
    refusal    TEXT   NOT NULL, -- why it was refused; empty otherwise
    asked_at   BIGINT NOT NULL,
    decided_at BIGINT
);
CREATE INDEX payment_refund_requests_asked ON payment_refund_requests (asked_at) WHERE state = 'asked';
