-- +goose Up
-- Why another child has the place: the last allocation of a registration, and who was given a place in a group.
CREATE INDEX preschool_run_children_registration ON preschool_run_children (registration_id, run);
CREATE INDEX preschool_run_children_place ON preschool_run_children (run, place);
