-- +goose Up
-- Codes that a clerk gave to a person who came with the passport. One binds the phone that it
-- was given for to the person, strongly. A keyed hash is kept of it, and it is good once.
CREATE TABLE identity_enrolments (
    id            TEXT   PRIMARY KEY,
    citizen_id    TEXT   NOT NULL REFERENCES identity_citizens (id),
    phone_index   TEXT   NOT NULL,
    document_mac  TEXT   NOT NULL, -- as identity_bindings keeps it
    called_sealed BYTEA  NOT NULL, -- what the phone's screens call the person
    code_mac      TEXT   NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    made_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT,
    void_at       BIGINT -- another one came in its place, or the phone was cut off
);
CREATE INDEX identity_enrolments_phone ON identity_enrolments (phone_index, expires_at);
CREATE INDEX identity_enrolments_citizen ON identity_enrolments (citizen_id);
CREATE INDEX identity_enrolments_over ON identity_enrolments (expires_at);
