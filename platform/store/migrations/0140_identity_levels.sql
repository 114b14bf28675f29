-- +goose Up
-- How surely a proof says who holds the phone: caller.Level. What was proved before was
-- proved by the numbers of a card.
ALTER TABLE identity_proofs ADD COLUMN level BIGINT NOT NULL DEFAULT 2;
