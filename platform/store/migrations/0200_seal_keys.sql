-- +goose Up
-- The keys that seal what must not be read in the database, each wrapped by a master key,
-- which is never here. Number 0 makes the blind indexes; 1, 2, ... seal.
CREATE TABLE seal_keys (
    number        BIGINT PRIMARY KEY,
    master        TEXT   NOT NULL, -- the id of the master key that wraps it
    wrapped       BYTEA  NOT NULL, -- empty once it is destroyed
    made_at       BIGINT NOT NULL,
    seals_from_at BIGINT NOT NULL, -- every process knows it by then
    destroyed_at  BIGINT
);
-- A database that was in use before has both keys derived from its master key: they are
-- wrapped when a process has shown that it has the right one.
INSERT INTO seal_keys (number, master, wrapped, made_at, seals_from_at)
SELECT 0, '', '', 0, 0 WHERE EXISTS (SELECT 1 FROM identity_keys);
INSERT INTO seal_keys (number, master, wrapped, made_at, seals_from_at)
SELECT 1, '', '', 0, 0 WHERE EXISTS (SELECT 1 FROM identity_keys);

-- How far the values of a column are sealed anew by a data key.
CREATE TABLE seal_rewrites (
    number   BIGINT NOT NULL,
    place    TEXT   NOT NULL, -- table.column
    after    TEXT   NOT NULL, -- the row that was done last; empty: none
    resealed BIGINT NOT NULL,
    failed   BIGINT NOT NULL, -- values that did not open: they stay as they are
    done_at  BIGINT,
    PRIMARY KEY (number, place)
);
