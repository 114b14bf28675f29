-- +goose Up
-- A long text comes in parts, each a row of its own until all are there.
ALTER TABLE sms_inbound ADD COLUMN joins TEXT NOT NULL DEFAULT ''; -- blind index of what makes parts one text; '' for a whole one
ALTER TABLE sms_inbound ADD COLUMN part BIGINT NOT NULL DEFAULT 0; -- from 1; 0 for a whole text
CREATE INDEX sms_inbound_joins ON sms_inbound (provider, joins, part) WHERE joins <> '';
