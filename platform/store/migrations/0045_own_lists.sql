-- +goose Up
-- What a person lists of their own: the payments of a phone, newest first, and the
-- live proofs of a person.
CREATE INDEX payments_owner ON payments (owner, id);
CREATE INDEX identity_proofs_citizen ON identity_proofs (citizen_id, expires_at);
