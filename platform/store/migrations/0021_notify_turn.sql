-- +goose Up
-- The turn of a talk whose outcome a message tells: where the turn's own answer
-- comes by SMS too, one of the two is enough.
ALTER TABLE notify_messages ADD COLUMN turn TEXT NOT NULL DEFAULT '';
CREATE INDEX notify_messages_turn ON notify_messages (turn) WHERE turn <> '';
