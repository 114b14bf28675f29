-- +goose Up
CREATE TABLE preschool_registrations (
    id            TEXT   PRIMARY KEY,
    number        TEXT   NOT NULL UNIQUE,
    turn          TEXT   NOT NULL UNIQUE, -- the request that made it: a retry finds it again
    state         TEXT   NOT NULL,        -- waiting, offered, placed
    child_index   TEXT   NOT NULL,        -- blind index of the child's personal number
    child         BYTEA  NOT NULL,        -- sealed
    citizen_id    TEXT   NOT NULL,        -- the parent; empty for imported rows
    phone_index   TEXT   NOT NULL,        -- blind index of the parent's phone
    phone         BYTEA  NOT NULL,        -- sealed
    locale        TEXT   NOT NULL,
    cohort        BIGINT NOT NULL,        -- the year on whose intake day the child is 0
    benefit       TEXT   NOT NULL,
    benefit_rank  BIGINT NOT NULL,        -- the lower goes first
    registered_at BIGINT NOT NULL,
    queued_at     BIGINT NOT NULL         -- the place in the queue
);
CREATE UNIQUE INDEX preschool_registrations_child ON preschool_registrations (child_index) WHERE state <> 'placed';
CREATE INDEX preschool_registrations_phone ON preschool_registrations (phone_index);
CREATE INDEX preschool_registrations_citizen ON preschool_registrations (citizen_id);

-- One row per chosen kindergarten, with what the order of its queue needs: a
-- position is a count over one range of the index below.
CREATE TABLE preschool_choices (
    registration_id TEXT    NOT NULL,
    choice          BIGINT  NOT NULL, -- 1 is the first wish
    number          TEXT    NOT NULL,
    kindergarten    TEXT    NOT NULL,
    name_ky         TEXT    NOT NULL,
    name_ru         TEXT    NOT NULL,
    cohort          BIGINT  NOT NULL,
    queued          BOOLEAN NOT NULL,
    benefit_rank    BIGINT  NOT NULL,
    queued_at       BIGINT  NOT NULL,
    PRIMARY KEY (registration_id, choice)
);
CREATE INDEX preschool_choices_order
    ON preschool_choices (kindergarten, cohort, queued, benefit_rank, queued_at, number);

-- Seats that the kindergartens reported free for an intake, and how many of
-- them open and accepted offers hold.
CREATE TABLE preschool_seats (
    kindergarten TEXT   NOT NULL,
    intake       BIGINT NOT NULL, -- year
    age          BIGINT NOT NULL, -- the group's age on the intake day
    seats        BIGINT NOT NULL,
    taken        BIGINT NOT NULL,
    PRIMARY KEY (kindergarten, intake, age)
);

CREATE TABLE preschool_offers (
    id              TEXT   PRIMARY KEY,
    registration_id TEXT   NOT NULL,
    number          TEXT   NOT NULL,
    kindergarten    TEXT   NOT NULL,
    name_ky         TEXT   NOT NULL,
    name_ru         TEXT   NOT NULL,
    intake          BIGINT NOT NULL,
    age             BIGINT NOT NULL,
    state           TEXT   NOT NULL, -- open, accepted, declined, missed
    actor           TEXT   NOT NULL, -- who offered
    offered_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    answered_at     BIGINT
);
CREATE UNIQUE INDEX preschool_offers_open ON preschool_offers (registration_id) WHERE state = 'open';
CREATE INDEX preschool_offers_expiry ON preschool_offers (state, expires_at);
CREATE INDEX preschool_offers_registration ON preschool_offers (registration_id, offered_at);
