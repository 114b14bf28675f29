-- +goose Up
-- What an account's holder has still to change, because whoever made or reset the account
-- has seen it: "password totp", one of the two, or nothing. It is under the mac too.
ALTER TABLE staff_accounts ADD COLUMN owes TEXT NOT NULL DEFAULT '';
