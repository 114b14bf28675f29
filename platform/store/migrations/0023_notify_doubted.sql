-- +goose Up
-- When a try ended without the provider's answer: it may have taken the message.
ALTER TABLE notify_messages ADD COLUMN doubted_at BIGINT;

-- Deliveries that were reported of messages we know no id of: a report may come
-- while we still wait for the answer to the sending call, which never comes.
CREATE TABLE notify_strays (
    provider_id TEXT   PRIMARY KEY, -- behind the provider's name, as a message's
    provider    TEXT   NOT NULL,
    phone_index TEXT   NOT NULL,
    heard_at    BIGINT NOT NULL
);
CREATE INDEX notify_strays_phone ON notify_strays (phone_index);
CREATE INDEX notify_strays_heard ON notify_strays (heard_at);
