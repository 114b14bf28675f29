-- +goose Up
-- Texts that citizens sent, each answered once.
CREATE TABLE sms_inbound (
    provider    TEXT   NOT NULL,
    message_id  TEXT   NOT NULL, -- the provider's own
    received_at BIGINT NOT NULL,
    sealed      BYTEA,           -- phone and text, until it is answered
    answered_at BIGINT,
    PRIMARY KEY (provider, message_id)
);
CREATE INDEX sms_inbound_waiting ON sms_inbound (received_at) WHERE answered_at IS NULL;
CREATE INDEX sms_inbound_answered ON sms_inbound (answered_at) WHERE answered_at IS NOT NULL;
