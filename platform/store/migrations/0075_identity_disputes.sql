-- +goose Up
-- Phones of a person that accuse each other are all held off (blocked_until_at), until
-- an operator clears the one that is the person's.
ALTER TABLE identity_bindings ADD COLUMN cleared_at BIGINT;
-- The blind index of the phone that a registration was moved from, by the one it has
-- now; '' where it was made there.
ALTER TABLE preschool_registrations ADD COLUMN moved_from TEXT NOT NULL DEFAULT '';

-- Found by: a dispute ends a person's notices, and an operator lists who is in one.
CREATE INDEX identity_notices_citizen ON identity_notices (citizen_id);
CREATE INDEX identity_bindings_blocked ON identity_bindings (blocked_until_at);
