-- +goose Up
-- When the provider of a message may be asked (again) what became of it, and how often
-- it was asked: reports that are pushed can be lost, and some accounts get none.
ALTER TABLE notify_messages ADD COLUMN ask_at BIGINT;
ALTER TABLE notify_messages ADD COLUMN asked  BIGINT NOT NULL DEFAULT 0;
CREATE INDEX notify_messages_unreported ON notify_messages (provider, sent_at) WHERE state = 'sent';
CREATE INDEX notify_messages_doubted    ON notify_messages (provider, doubted_at) WHERE state = 'queued' AND doubted_at IS NOT NULL;
