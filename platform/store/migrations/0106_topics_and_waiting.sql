-- +goose Up
-- What a message is about, to its phone: a later one replaces those about the same that
-- have not left, and leaves after them. A blind index; '' is about nothing in particular.
ALTER TABLE notify_messages ADD COLUMN topic TEXT NOT NULL DEFAULT '';
-- While a try of a message about something is under way: when it is over at the latest.
ALTER TABLE notify_messages ADD COLUMN leaving_until_at BIGINT;
CREATE INDEX notify_messages_topic      ON notify_messages (topic) WHERE topic <> '';
CREATE INDEX notify_messages_superseded ON notify_messages (state) WHERE state = 'superseded';

-- The payment that was paying a bill of a refused one, until it is known what became of
-- it and whoever has the refused one's code was told; '' where there is none.
ALTER TABLE payments ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
CREATE INDEX payments_waits_for ON payments (waits_for) WHERE waits_for <> '';
