-- +goose Up
-- Since when an allocation's offer could not be made: it is tried again, and not for ever.
ALTER TABLE preschool_run_children ADD COLUMN failing_since_at BIGINT;
