-- +goose Up
-- Which provider took a message, and what that cost. A provider's id is only its
-- own: it is kept behind the provider's name.
ALTER TABLE notify_messages ADD COLUMN provider TEXT   NOT NULL DEFAULT '';
ALTER TABLE notify_messages ADD COLUMN operator TEXT   NOT NULL DEFAULT '';
ALTER TABLE notify_messages ADD COLUMN parts    BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notify_messages ADD COLUMN cost     BIGINT NOT NULL DEFAULT 0; -- estimated, in tyiyn
UPDATE notify_messages SET provider = 'twilio', provider_id = 'twilio/' || provider_id WHERE provider_id IS NOT NULL;
CREATE INDEX notify_messages_sent ON notify_messages (sent_at);

-- Tries that a provider did not take.
CREATE TABLE sms_failures (
    id        TEXT   PRIMARY KEY,
    provider  TEXT   NOT NULL,
    operator  TEXT   NOT NULL,
    failed_at BIGINT NOT NULL
);
CREATE INDEX sms_failures_at ON sms_failures (failed_at);

-- How an operator's messages are shared out among providers.
CREATE TABLE sms_weights (
    operator TEXT   PRIMARY KEY,
    points   TEXT   NOT NULL, -- JSON: points by provider, 100 in all
    moved_at BIGINT NOT NULL
);
