-- +goose Up
-- In which session somebody was proved, as caller.Caller names it, or on which channel where that
-- knows no sessions; and when that was last made use of. What was proved before was in none.
ALTER TABLE identity_proofs ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_proofs ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
UPDATE identity_proofs SET used_at = proved_at;
