-- +goose Up
-- That a person asked for the erasure of what is kept about them: it is done when it
-- is due, unless it was withdrawn. open_citizen is the person while it is neither, so that
-- there is one at a time.
CREATE TABLE owndata_erasures (
    id           TEXT   PRIMARY KEY,
    citizen_id   TEXT   NOT NULL, -- the pseudonym
    open_citizen TEXT   UNIQUE,
    phone_index  TEXT   NOT NULL, -- blind index of the phone that asked; '' once it is over
    phone_sealed BYTEA  NOT NULL, -- the same, sealed; empty once it is over
    locale       TEXT   NOT NULL,
    asked_at     BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    withdrawn_at BIGINT,
    done_at      BIGINT
);
CREATE INDEX owndata_erasures_due ON owndata_erasures (due_at) WHERE open_citizen IS NOT NULL;
CREATE INDEX owndata_erasures_phone ON owndata_erasures (phone_index) WHERE open_citizen IS NOT NULL;

-- The messages that tell of a person: they are erased with the person.
CREATE INDEX notify_messages_about ON notify_messages (about, queued_at) WHERE about <> '';
