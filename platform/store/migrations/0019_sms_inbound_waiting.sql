-- +goose Up
-- What waits is told by its sealed text: with answered_at in its condition the
-- index looks right for marking messages answered, by their key, and is not.
DROP INDEX sms_inbound_waiting;
CREATE INDEX sms_inbound_waiting ON sms_inbound (received_at) WHERE sealed IS NOT NULL;
