-- +goose Up
CREATE TABLE notify_messages (
    id           TEXT   PRIMARY KEY,
    dedup        TEXT   NOT NULL UNIQUE, -- what makes two requests one message
    purpose      TEXT   NOT NULL,        -- code, receipt, notice
    locale       TEXT   NOT NULL,
    phone_index  TEXT   NOT NULL,        -- blind index
    phone_sealed BYTEA  NOT NULL,
    text_sealed  BYTEA  NOT NULL,        -- emptied when a code's message is over
    state        TEXT   NOT NULL,        -- queued, sent, delivered, failed, expired
    tries        BIGINT NOT NULL,        -- sendings begun
    provider_id  TEXT   UNIQUE,          -- the provider's name for it, once sent
    queued_at    BIGINT NOT NULL,
    expires_at   BIGINT,                 -- not sent after this moment
    sent_at      BIGINT,
    finished_at  BIGINT
);
CREATE INDEX notify_messages_phone ON notify_messages (phone_index, queued_at);
