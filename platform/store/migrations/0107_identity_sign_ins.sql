-- +goose Up
-- A sign-in over REST, of one device. Its refresh tokens are a family, of which one at a
-- time is good: all end with it.
CREATE TABLE identity_sign_ins (
    id           TEXT   PRIMARY KEY,
    phone_index  TEXT   NOT NULL,
    phone_sealed BYTEA  NOT NULL,
    label_sealed BYTEA  NOT NULL, -- what the app calls the device
    generation   BIGINT NOT NULL, -- the phone's when it began: what cuts the phone off begins another
    begun_at     BIGINT NOT NULL,
    used_at      BIGINT NOT NULL, -- the last time that it was given tokens
    expires_at   BIGINT NOT NULL, -- unless it is given tokens before
    ended_at     BIGINT,
    ended_by     TEXT   NOT NULL DEFAULT '' -- signed_out, reused, cut, replaced
);
CREATE INDEX identity_sign_ins_phone ON identity_sign_ins (phone_index, used_at);
CREATE INDEX identity_sign_ins_expires ON identity_sign_ins (expires_at);
CREATE INDEX identity_sign_ins_ended ON identity_sign_ins (ended_at) WHERE ended_at IS NOT NULL;

-- Used ones stay as long as their sign-in: one that comes again was in two hands.
CREATE TABLE identity_refresh_tokens (
    token_mac  TEXT   PRIMARY KEY, -- keyed hash of the token, which is kept nowhere
    sign_in_id TEXT   NOT NULL REFERENCES identity_sign_ins (id) ON DELETE CASCADE,
    made_by    TEXT   NOT NULL, -- the request that it was made for, as a blind index
    used_by    TEXT   NOT NULL DEFAULT '', -- the request that exchanged it, as a blind index
    used_at    BIGINT
);
CREATE INDEX identity_refresh_tokens_of ON identity_refresh_tokens (sign_in_id);
