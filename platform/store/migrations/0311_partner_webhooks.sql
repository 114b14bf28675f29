-- +goose Up
-- Where a partner's events are sent.
CREATE TABLE partner_webhooks (
    partner_id       TEXT   PRIMARY KEY,
    url              TEXT   NOT NULL,
    made_at          BIGINT NOT NULL,
    failing_since_at BIGINT, -- nothing got through since
    disabled_at      BIGINT,
    disabled_why     TEXT   NOT NULL DEFAULT '' -- gone, failing
);
-- What its deliveries are signed by: the newest, and the former ones until their end.
CREATE TABLE partner_webhook_secrets (
    id           TEXT   PRIMARY KEY, -- the partner's id, a point, n
    partner_id   TEXT   NOT NULL,
    n            BIGINT NOT NULL,
    sealed       BYTEA  NOT NULL,
    not_after_at BIGINT,
    UNIQUE (partner_id, n)
);
-- One event on its way. Who tries moves due_at past the try, so that a server that is killed leaves the next try to others.
CREATE TABLE partner_deliveries (
    event_id   TEXT   PRIMARY KEY,
    partner_id TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- waiting, delivered, given_up
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    status     BIGINT NOT NULL DEFAULT 0 -- of the last answer; 0: there was none
);
CREATE INDEX partner_deliveries_due ON partner_deliveries (partner_id, due_at) WHERE state = 'waiting';
CREATE INDEX partner_deliveries_over ON partner_deliveries (due_at) WHERE state <> 'waiting';
