-- +goose Up
-- Talks under way while Redis is away. Sealed: no phone, no input is readable.
CREATE TABLE session_records (
    key        TEXT   PRIMARY KEY, -- a digest
    version    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sealed     BYTEA  NOT NULL
);
CREATE INDEX session_records_expires ON session_records (expires_at);
