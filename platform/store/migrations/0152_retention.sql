-- +goose Up
-- What is past its term is found by its age.
CREATE INDEX identity_codes_age ON identity_codes (expires_at);
CREATE INDEX identity_attempts_age ON identity_attempts (expires_at);
CREATE INDEX identity_proofs_age ON identity_proofs (expires_at);
CREATE INDEX identity_notices_age ON identity_notices (expires_at);
CREATE INDEX notify_messages_age ON notify_messages (queued_at) WHERE state <> 'queued';
