-- +goose Up
-- What a message of a provider that numbers none has in common with the same one
-- delivered again, and whether its provider was told that it is taken.
ALTER TABLE sms_inbound ADD COLUMN echo TEXT NOT NULL DEFAULT ''; -- keyed digest; '' where messages have numbers
ALTER TABLE sms_inbound ADD COLUMN acknowledged_at BIGINT;
CREATE INDEX sms_inbound_echo ON sms_inbound (provider, echo, received_at) WHERE echo <> '';
