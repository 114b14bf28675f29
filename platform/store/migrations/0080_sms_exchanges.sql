-- +goose Up
-- What a phone texted last and what it was told, as digests: by that all processes tell
-- a machine, which answers our answers, from a person. A row is forgotten after a day.
CREATE TABLE sms_exchanges (
    sender          TEXT   PRIMARY KEY, -- blind index of the phone
    word            TEXT   NOT NULL,    -- blind index of its last text
    word_at         BIGINT NOT NULL,    -- when that came first, with nothing else since
    text_at         BIGINT NOT NULL,    -- and last
    answer          TEXT   NOT NULL,    -- blind index of our last answer
    answered_at     BIGINT,             -- NULL: there was none
    unclear         BIGINT NOT NULL,    -- texts in a row that were not understood
    paused_until_at BIGINT              -- NULL: it was always answered
);
CREATE INDEX sms_exchanges_text ON sms_exchanges (text_at);
