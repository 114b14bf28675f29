-- +goose Up
-- What happened to the payments of partners, each written with the change itself and never changed but to be numbered.
CREATE TABLE partner_events (
    id          TEXT   PRIMARY KEY, -- evt_...
    partner_id  TEXT   NOT NULL,
    seq         BIGINT NOT NULL DEFAULT 0, -- its place among the partner's; 0: not numbered yet, nobody sees it
    payment_id  TEXT   NOT NULL,
    version     BIGINT NOT NULL, -- its place among the payment's, from 1
    kind        TEXT   NOT NULL, -- payment.settled, ...
    code        TEXT   NOT NULL,
    txn_id      TEXT   NOT NULL, -- empty: nothing is paid
    reference   TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    amount      BIGINT NOT NULL,
    refund      BIGINT NOT NULL, -- what of it goes or went back
    happened_at BIGINT NOT NULL,
    UNIQUE (payment_id, version)
);
CREATE UNIQUE INDEX partner_events_order ON partner_events (partner_id, seq) WHERE seq > 0;
CREATE INDEX partner_events_new ON partner_events (partner_id, version, id) WHERE seq = 0;

-- The number of each partner's last event. Who numbers events holds the row until the end of the transaction.
CREATE TABLE partner_event_heads (
    partner_id TEXT   PRIMARY KEY,
    last       BIGINT NOT NULL
);
