-- +goose Up
-- What the dialogue calls the person whom a proof is of: the given name and the surname's
-- initial, sealed. Empty for proofs of before: they name nobody.
ALTER TABLE identity_proofs ADD COLUMN called_sealed BYTEA NOT NULL DEFAULT '';
