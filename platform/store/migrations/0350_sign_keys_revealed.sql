-- +goose Up
-- When it was said that the private half of a signing key may be in other hands.
ALTER TABLE sign_keys ADD COLUMN revealed_at BIGINT;
