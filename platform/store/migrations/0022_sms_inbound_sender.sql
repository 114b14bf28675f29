-- +goose Up
-- Whose a text is, while it waits for its answer: those of a phone are answered in
-- their order, also where the process that took the first one was killed. Those that
-- wait are few, and found by sms_inbound_waiting.
ALTER TABLE sms_inbound ADD COLUMN sender TEXT NOT NULL DEFAULT ''; -- blind index; '' once it is answered
