-- +goose Up
-- Sign-ins by the state's own sign-in (ЕСИ), under way and over. One proves at most once, on
-- the phone that began it, while nothing cut that phone off.
CREATE TABLE identity_national_sign_ins (
    id            TEXT    PRIMARY KEY,
    phone_index   TEXT    NOT NULL,
    phone_sealed  BYTEA   NOT NULL, -- wiped when it is over
    generation    BIGINT  NOT NULL, -- the phone's when it began: what cuts the phone off begins another
    begun_in      TEXT    NOT NULL, -- the sign-in over REST or the session that began it
    citizen_id    TEXT    NOT NULL, -- who was proved on the phone when it began, then who signed in; '': nobody
    channel       TEXT    NOT NULL,
    locale        TEXT    NOT NULL,
    state_mac     TEXT    NOT NULL, -- keyed hash of what the browser brings back; of a device, of nothing
    secret_sealed BYTEA   NOT NULL, -- nonce and verifier, or the device's code; wiped when it is over
    pause         BIGINT  NOT NULL, -- seconds between two questions about a device; 0: a browser's
    state         TEXT    NOT NULL, -- open, asking; done, refused, denied, expired, cut
    why           TEXT    NOT NULL DEFAULT '', -- the problem of one that was refused
    enrolled      BOOLEAN NOT NULL DEFAULT FALSE, -- the state vouches that the phone is the person's
    token_mac     TEXT    UNIQUE, -- keyed hash of the ID token, which proves once
    begun_at      BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL,
    asked_at      BIGINT
);
CREATE UNIQUE INDEX identity_national_state ON identity_national_sign_ins (state_mac);
CREATE INDEX identity_national_phone ON identity_national_sign_ins (phone_index);
CREATE INDEX identity_national_citizen ON identity_national_sign_ins (citizen_id);
CREATE INDEX identity_national_expires ON identity_national_sign_ins (expires_at);
