-- +goose Up
-- The address that answered a challenge: events go there alone. Until another one is proved they go on to it.
ALTER TABLE partner_webhooks ADD COLUMN proved_url TEXT NOT NULL DEFAULT '';
-- Those of before have their events sent to them already.
UPDATE partner_webhooks SET proved_url = url;
