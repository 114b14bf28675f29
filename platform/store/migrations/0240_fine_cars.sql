-- +goose Up
-- The cars that a person linked: whose new fines a phone is told of.
CREATE TABLE fine_cars (
    id           TEXT   PRIMARY KEY,          -- also our number of it at the register
    citizen_id   TEXT   NOT NULL,
    plate_index  TEXT   NOT NULL,
    plate_sealed BYTEA  NOT NULL,
    phone_index  TEXT   NOT NULL DEFAULT '',  -- empty: nobody is told
    phone_sealed BYTEA  NOT NULL,
    locale       TEXT   NOT NULL,
    linked_at    BIGINT NOT NULL,
    watch_at     BIGINT NOT NULL,             -- when the register is asked next
    followed_at  BIGINT,                      -- since when the register counts us a subscriber
    ended_at     BIGINT,                      -- unlinked: it goes when the register knows
    UNIQUE (citizen_id, plate_index)
);
CREATE INDEX fine_cars_watch ON fine_cars (watch_at);
CREATE INDEX fine_cars_phone ON fine_cars (phone_index);

-- What was told of a car's fines, each thing once.
CREATE TABLE fine_told (
    car_id     TEXT   NOT NULL REFERENCES fine_cars (id),
    number     TEXT   NOT NULL,            -- the register's payment number
    kind       TEXT   NOT NULL,            -- new, ends
    payment_id TEXT   NOT NULL DEFAULT '', -- whose code was told; empty: none
    told_at    BIGINT NOT NULL,
    PRIMARY KEY (car_id, number, kind)
);
