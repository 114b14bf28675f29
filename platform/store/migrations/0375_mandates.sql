-- +goose Up
-- That a person lets another one act for them, in named services, until a day. Whom it is asked of is
-- known by the blind index of the number only, whoever has it: nobody is told whether we know them.
CREATE TABLE mandates (
    id            TEXT   NOT NULL PRIMARY KEY,
    giver_index   TEXT   NOT NULL, -- blind index of the giver's personal number, as identity's
    giver_id      TEXT   NOT NULL, -- the citizen who gave it; '': nobody did yet
    holder_id     TEXT   NOT NULL, -- the citizen who acts
    services      TEXT   NOT NULL, -- with spaces between
    giver_sealed  BYTEA  NOT NULL, -- what the holder's screens call the giver
    holder_sealed BYTEA  NOT NULL, -- what the giver's screens call the holder
    phone_index   TEXT   NOT NULL, -- of the phone it was asked on, then of that it was given on; '': at a clerk's
    asked_at      BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL, -- of what nobody gave
    until_at      BIGINT NOT NULL,
    given_at      BIGINT,
    ended_at      BIGINT,
    ended_by      TEXT   NOT NULL DEFAULT '', -- giver, holder, phone, death
    mac           TEXT   NOT NULL  -- over all of these, so that whoever writes here gives nothing
);
CREATE INDEX mandates_giver ON mandates (giver_index);
CREATE INDEX mandates_given_by ON mandates (giver_id);
CREATE INDEX mandates_holder ON mandates (holder_id);
CREATE INDEX mandates_phone ON mandates (phone_index);
CREATE INDEX mandates_until ON mandates (until_at);
CREATE INDEX mandates_expires ON mandates (expires_at);

