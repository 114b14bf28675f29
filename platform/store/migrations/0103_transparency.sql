-- +goose Up
-- Append-only Merkle trees (RFC 6962): their hashes by index, and of each its size, the
-- origin that its checkpoints name for good, and the key that signs them.
CREATE TABLE transparency_trees (
    name       TEXT   PRIMARY KEY,
    origin     TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    key_sealed BYTEA  NOT NULL,
    made_at    BIGINT NOT NULL
);

CREATE TABLE transparency_hashes (
    tree TEXT   NOT NULL,
    idx  BIGINT NOT NULL,
    hash BYTEA  NOT NULL,
    PRIMARY KEY (tree, idx)
);
