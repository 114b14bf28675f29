-- +goose Up
-- Which bit of the published status lists is a certificate's; it is signed with the record. None: it was signed before there were lists.
ALTER TABLE certificates ADD COLUMN status_index BIGINT;
CREATE UNIQUE INDEX certificates_status ON certificates (status_index) WHERE status_index IS NOT NULL;
CREATE INDEX certificates_revoked ON certificates (state, status_index) WHERE state = 'revoked' AND status_index IS NOT NULL;
