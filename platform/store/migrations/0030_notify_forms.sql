-- +goose Up
-- How a provider's id reads as a number: its report may write it in another base, or
-- with other leading zeros. '' where it is none.
ALTER TABLE notify_messages ADD COLUMN id_decimal TEXT NOT NULL DEFAULT '';
ALTER TABLE notify_messages ADD COLUMN id_hex     TEXT NOT NULL DEFAULT '';
ALTER TABLE notify_strays   ADD COLUMN id_decimal TEXT NOT NULL DEFAULT '';
ALTER TABLE notify_strays   ADD COLUMN id_hex     TEXT NOT NULL DEFAULT '';
CREATE INDEX notify_messages_decimal ON notify_messages (id_decimal) WHERE id_decimal <> '';
CREATE INDEX notify_messages_hex     ON notify_messages (id_hex) WHERE id_hex <> '';

-- How many tries ended without the provider's answer: never more than two copies.
ALTER TABLE notify_messages ADD COLUMN uncertain BIGINT NOT NULL DEFAULT 0;
UPDATE notify_messages SET uncertain = 1 WHERE doubted_at IS NOT NULL;
