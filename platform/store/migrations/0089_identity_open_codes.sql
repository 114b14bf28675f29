-- +goose Up
-- Over REST anybody can name any phone: what strangers guess must not cost its owner the code.
ALTER TABLE identity_codes ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE; -- a long code, for all who ask for the phone
ALTER TABLE identity_codes ADD COLUMN unbound_tries BIGINT NOT NULL DEFAULT 0; -- guesses without the challenge of who asked for it
