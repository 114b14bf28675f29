-- +goose Up
-- Allocations of free places to those who wait, and all that each rested on: who asks for a place can be told
-- why another child has it, and `eshik fsck` computes it anew.
CREATE TABLE preschool_runs (
    id            TEXT   PRIMARY KEY,         -- n in digits
    n             BIGINT NOT NULL UNIQUE,     -- numbered from 1
    state         TEXT   NOT NULL,            -- next, offering, done, wrong
    commitment    TEXT   NOT NULL,            -- SHA-256 of the seed, hexadecimal
    seed_sealed   BYTEA  NOT NULL,
    seed          TEXT   NOT NULL DEFAULT '', -- hexadecimal, revealed when it is decided
    intake        BIGINT NOT NULL DEFAULT 0,  -- year
    open_every    BIGINT NOT NULL DEFAULT 0,
    seats         BIGINT NOT NULL DEFAULT 0,  -- free, where somebody asks for them
    waiting       BIGINT NOT NULL DEFAULT 0,  -- for those seats
    placed        BIGINT NOT NULL DEFAULT 0,
    shown_seats   BIGINT NOT NULL DEFAULT 0,  -- with which it was proposed
    shown_waiting BIGINT NOT NULL DEFAULT 0,
    actor         TEXT   NOT NULL DEFAULT '',
    verdict       TEXT   NOT NULL DEFAULT '', -- of the check of what is stored
    committed_at  BIGINT NOT NULL,
    decided_at    BIGINT,
    ended_at      BIGINT
);
CREATE INDEX preschool_runs_state ON preschool_runs (state);

CREATE TABLE preschool_run_groups (
    run          BIGINT NOT NULL,
    place        BIGINT NOT NULL, -- what wishes name, from 0
    kindergarten TEXT   NOT NULL,
    age          BIGINT NOT NULL, -- the group's age on the intake day
    free         BIGINT NOT NULL,
    taken        BIGINT NOT NULL,
    PRIMARY KEY (run, place)
);

CREATE TABLE preschool_run_children (
    run             BIGINT NOT NULL,
    child           BIGINT NOT NULL, -- from 0
    registration_id TEXT   NOT NULL,
    number          TEXT   NOT NULL, -- of the registration
    benefit_rank    BIGINT NOT NULL,
    queued_at       BIGINT NOT NULL,
    tie             TEXT   NOT NULL, -- HMAC-SHA256 of the child's blind index by the seed, hexadecimal
    wishes          TEXT   NOT NULL, -- places, the dearest first: "4 0"
    place           BIGINT NOT NULL, -- that it is offered; -1: none
    mac             TEXT   NOT NULL, -- of all before, by the master key
    outcome         TEXT   NOT NULL, -- none, waits, offered, gone
    offer_id        TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (run, child)
);
CREATE INDEX preschool_run_children_outcome ON preschool_run_children (run, outcome, child);
