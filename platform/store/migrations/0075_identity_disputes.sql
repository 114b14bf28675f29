-- +goose Up
-- Phones of a person that accuse each other are all held off (blocked_until_at), until
-- an operator clears the one that is the person's.
ALTER TABLE identity_bindings ADD COLUMN cleared_at BIGINT;
-- The blind index of the phone that a registration was moved from, by the one it has
-- now; '' where it was made there.
ALTER TABLE preschool_registrations ADD COLUMN moved_from TEXT NOT NULL DEFAULT '';
