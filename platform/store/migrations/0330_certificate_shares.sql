-- +goose Up
-- Codes by which holders of certificates let an office see one whole. A code follows from its row
-- and a key: nothing of it is kept.
CREATE TABLE certificate_shares (
    id             TEXT   PRIMARY KEY,
    certificate_id TEXT   NOT NULL REFERENCES certificates (id),
    phone_index    TEXT   NOT NULL, -- of the phone that asked for it
    made_at        BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    tries          BIGINT NOT NULL DEFAULT 0, -- wrong codes
    opened         BIGINT NOT NULL DEFAULT 0,
    void_at        BIGINT -- closed by the holder, or another one came in its place, or the phone was cut off
);
CREATE INDEX certificate_shares_certificate ON certificate_shares (certificate_id, expires_at);
CREATE INDEX certificate_shares_phone ON certificate_shares (phone_index);
CREATE INDEX certificate_shares_over ON certificate_shares (expires_at);
