-- +goose Up
-- Answers that a citizen was promised by SMS, because a step took too long.
CREATE TABLE session_promises (
    id       TEXT   PRIMARY KEY, -- the turn's
    sealed   BYTEA  NOT NULL,    -- who asked what; emptied when the promise is kept
    tries    BIGINT NOT NULL,
    made_at  BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,    -- when somebody else takes it up
    kept_at  BIGINT
);
CREATE INDEX session_promises_due ON session_promises (due_at) WHERE kept_at IS NULL;
CREATE INDEX session_promises_kept ON session_promises (kept_at) WHERE kept_at IS NOT NULL;
