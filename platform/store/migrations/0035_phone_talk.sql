-- +goose Up
-- In which talk a phone last chose its language or went on with an earlier talk: its
-- first inputs were not choices of the main menu, and must not be taken for such where
-- the talk itself is lost. A keyed digest of the gateway's session; '' for none.
ALTER TABLE identity_phones ADD COLUMN talk TEXT NOT NULL DEFAULT '';
