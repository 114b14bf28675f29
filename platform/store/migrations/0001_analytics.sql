-- +goose Up
CREATE TABLE analytics_events (
    id          TEXT    PRIMARY KEY,
    happened_at BIGINT  NOT NULL,
    day         TEXT    NOT NULL, -- YYYY-MM-DD in Asia/Bishkek
    service     TEXT    NOT NULL,
    step        TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    locale      TEXT    NOT NULL,
    operator    TEXT    NOT NULL,
    region      TEXT    NOT NULL, -- ISO 3166-2, empty when unknown
    outcome     TEXT    NOT NULL, -- done, abandoned, refused, failed
    duration_ms BIGINT  NOT NULL
);
CREATE INDEX analytics_events_day ON analytics_events (day, service, channel);
