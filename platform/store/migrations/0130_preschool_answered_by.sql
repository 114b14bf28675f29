-- +goose Up
-- From which phone an offer was answered (its blind index; '' where none was, or not known),
-- and when that phone was cut off from the citizen after that: an officer is shown those.
ALTER TABLE preschool_offers ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE preschool_offers ADD COLUMN shut_out_at BIGINT;
CREATE INDEX preschool_offers_shut_out ON preschool_offers (shut_out_at) WHERE shut_out_at IS NOT NULL;
