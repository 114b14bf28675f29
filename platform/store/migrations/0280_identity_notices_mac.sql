-- +goose Up
-- Keyed hash of all that a notice decides: which phone's word undoes which phone of whom. One of
-- a version before has none, and undoes nothing.
ALTER TABLE identity_notices ADD COLUMN mac TEXT NOT NULL DEFAULT '';
