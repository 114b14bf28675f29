-- +goose Up
-- Appeals of fines. What a person wrote, which car it is about and what they were answered is sealed.
CREATE TABLE fine_appeals (
    id            TEXT   PRIMARY KEY,
    number        TEXT   NOT NULL UNIQUE,     -- what people know it by
    citizen_id    TEXT   NOT NULL,
    bill          TEXT   NOT NULL,            -- the fine, by the register's payment number
    open_bill     TEXT   UNIQUE,              -- the same while nothing is decided: a fine has one open appeal
    plate_sealed  BYTEA  NOT NULL,
    ground        TEXT   NOT NULL,            -- a code of grounds.csv
    text_sealed   BYTEA  NOT NULL,
    state         TEXT   NOT NULL,            -- received, taken, accepted, rejected, withdrawn
    taken_by      TEXT   NOT NULL DEFAULT '', -- the officer who decides, or decided
    answer_sealed BYTEA  NOT NULL,            -- why it was decided so; sealed nothing: it is not
    received_at   BIGINT NOT NULL,
    taken_at      BIGINT,
    ended_at      BIGINT,                     -- decided or withdrawn
    discount_at   BIGINT                      -- when the fine's discount ends, as it was known when it was received; NULL: there was none
);
CREATE INDEX fine_appeals_citizen ON fine_appeals (citizen_id, received_at);
CREATE INDEX fine_appeals_open ON fine_appeals (received_at) WHERE open_bill IS NOT NULL;
CREATE INDEX fine_appeals_ended ON fine_appeals (ended_at);
