-- +goose Up
-- Links by which a person sees the photo of a fine of their car once, sent to their phone. Of a link only a
-- keyed hash is kept, and of the plate nothing in the clear.
CREATE TABLE fine_photo_links (
    id           TEXT   PRIMARY KEY,
    citizen_id   TEXT   NOT NULL,
    token_index  TEXT   NOT NULL UNIQUE,
    turn         TEXT   NOT NULL UNIQUE, -- in which it was asked for: the same turn once more makes no other
    bill         TEXT   NOT NULL,        -- the fine, by the register's payment number
    plate_index  TEXT   NOT NULL,
    plate_sealed BYTEA  NOT NULL,
    phone_index  TEXT   NOT NULL,        -- that it was sent to
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    spent_at     BIGINT,
    void_at      BIGINT                  -- the phone was cut off, or the car unlinked
);
CREATE INDEX fine_photo_links_citizen ON fine_photo_links (citizen_id);
CREATE INDEX fine_photo_links_phone ON fine_photo_links (phone_index);
CREATE INDEX fine_photo_links_over ON fine_photo_links (expires_at);
