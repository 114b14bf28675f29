-- +goose Up
-- Whose affairs a message tells of, by the citizen's pseudonym; '' where it is the
-- phone's own. What waits about a person for a phone that is the person's no more is dropped.
ALTER TABLE notify_messages ADD COLUMN about TEXT NOT NULL DEFAULT '';

-- A registration that an officer withdrew has the state 'withdrawn'. Until this moment
-- the child's next registration takes over its place in the queue; NULL: it does not.
ALTER TABLE preschool_registrations ADD COLUMN place_kept_until_at BIGINT;
CREATE INDEX preschool_registrations_of_child ON preschool_registrations (child_index, registered_at);
