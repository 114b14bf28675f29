-- +goose Up
-- Phones that are not answered for a while, as what they send looks like a machine's
-- answers to ours. Kept for the operator to see, and for the next process to know.
CREATE TABLE sms_brakes (
    sender       TEXT   PRIMARY KEY, -- blind index of the phone
    phone_sealed BYTEA  NOT NULL,
    provider     TEXT   NOT NULL,
    reason       TEXT   NOT NULL,    -- same, echo, fast, many
    since_at     BIGINT NOT NULL,
    until_at     BIGINT NOT NULL,
    silenced     BIGINT NOT NULL     -- texts that were not answered
);
CREATE INDEX sms_brakes_until ON sms_brakes (until_at);
