-- +goose Up
-- The SHA-256 of the public file from which anybody computes an allocation anew; empty: it was decided before there was one.
ALTER TABLE preschool_runs ADD COLUMN replay TEXT NOT NULL DEFAULT '';
