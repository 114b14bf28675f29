-- +goose Up
-- A key of tokens is published before it signs, so that everybody who verifies knows it.
ALTER TABLE identity_keys ADD COLUMN signs_from_at BIGINT NOT NULL DEFAULT 0;
-- Its tokens are refused from then on, and its private half is emptied.
ALTER TABLE identity_keys ADD COLUMN revoked_at BIGINT;
UPDATE identity_keys SET signs_from_at = created_at;
