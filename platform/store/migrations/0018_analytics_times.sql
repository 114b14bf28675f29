-- +goose Up
-- What happens alike within a minute is one row: times counts it, duration_ms
-- adds up.
ALTER TABLE analytics_events ADD COLUMN times BIGINT NOT NULL DEFAULT 1;
