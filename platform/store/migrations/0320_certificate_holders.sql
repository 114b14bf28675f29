-- +goose Up
-- Whom a certificate is about where it is somebody else than who asked for it, as a child:
-- their pseudonym, and by which blind index they were chosen. Empty: who asked.
ALTER TABLE certificates ADD COLUMN holder_id TEXT NOT NULL DEFAULT '';
ALTER TABLE certificates ADD COLUMN holder_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX certificates_holder ON certificates (holder_id, requested_at) WHERE holder_id <> '';
