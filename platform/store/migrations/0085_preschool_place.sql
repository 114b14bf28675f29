-- +goose Up
-- A child has one registration that has not ended (state 'left'), placed ones too: who
-- has a place holds no second one. active_child is the child's blind index on the
-- registration that holds it, NULL on one that ended and on all that are of before
-- this: a child of those may hold two places, which `eshik fsck` names and nothing
-- here decides. Without NULL for them the index could not be made.
ALTER TABLE preschool_registrations ADD COLUMN active_child TEXT;
CREATE UNIQUE INDEX preschool_registrations_active ON preschool_registrations (active_child);

-- What held until now (one registration in the queue) goes on for those of before;
-- state 'left' is not in the queue.
DROP INDEX preschool_registrations_child;
CREATE UNIQUE INDEX preschool_registrations_child ON preschool_registrations (child_index) WHERE state IN ('waiting', 'offered');
CREATE INDEX preschool_registrations_held ON preschool_registrations (child_index, state);
