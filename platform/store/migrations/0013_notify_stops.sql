-- +goose Up
-- Phones that asked for no more notices.
CREATE TABLE notify_stops (
    phone_index TEXT   PRIMARY KEY, -- blind index
    stopped_at  BIGINT NOT NULL
);
