-- +goose Up
-- Files that people add to their appeals. What is in one is sealed, and stands apart: lists read none of it.
CREATE TABLE fine_appeal_files (
    id         TEXT   PRIMARY KEY,
    appeal_id  TEXT   NOT NULL REFERENCES fine_appeals (id),
    kind       TEXT   NOT NULL, -- jpeg, png, pdf: by the content
    size       BIGINT NOT NULL, -- bytes
    same_index TEXT   NOT NULL, -- keyed hash of the content: the same file again is no other
    added_at   BIGINT NOT NULL,
    UNIQUE (appeal_id, same_index)
);
CREATE TABLE fine_appeal_file_contents (
    file_id        TEXT  PRIMARY KEY REFERENCES fine_appeal_files (id),
    content_sealed BYTEA NOT NULL
);
