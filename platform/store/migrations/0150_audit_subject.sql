-- +goose Up
-- What the log says of one person's data, the newest first: people are shown it.
CREATE INDEX audit_records_subject ON audit_records (subject, happened_at, id);
