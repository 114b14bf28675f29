-- +goose Up
-- Where a code was asked for from and the block of numbers it went to, as blind
-- indexes: code pumping is told by codes that are sent and never used.
ALTER TABLE identity_codes ADD COLUMN address_index TEXT NOT NULL DEFAULT ''; -- '': a phone's own call, or before this was kept
ALTER TABLE identity_codes ADD COLUMN block_index TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_codes_address ON identity_codes (address_index, sent_at, used_at);
CREATE INDEX identity_codes_block ON identity_codes (block_index, sent_at, used_at);
CREATE INDEX identity_codes_door ON identity_codes (door, sent_at, used_at);
