-- +goose Up
-- How often the number got another holder, as its operator told us.
ALTER TABLE identity_phones ADD COLUMN tenure BIGINT NOT NULL DEFAULT 0;
