-- +goose Up
-- What a partner may do, from where and how often. An empty list of networks is every
-- address, a limit of 0 none.
ALTER TABLE partners ADD COLUMN scopes TEXT NOT NULL DEFAULT 'payments.check payments.pay payments.read';
ALTER TABLE partners ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE partners ADD COLUMN per_minute BIGINT NOT NULL DEFAULT 0;
ALTER TABLE partners ADD COLUMN per_day BIGINT NOT NULL DEFAULT 0;

-- A partner has several secrets, each for one kind of door. partners.secret_hash is that
-- of versions before, and is looked at no more.
CREATE TABLE partner_credentials (
    id           TEXT   PRIMARY KEY, -- the partner's id, a point, n
    partner_id   TEXT   NOT NULL REFERENCES partners (id),
    n            BIGINT NOT NULL,
    kind         TEXT   NOT NULL, -- osmp, oauth
    secret_hash  TEXT   NOT NULL, -- keyed; argon2id where a version before made it
    created_at   BIGINT NOT NULL,
    not_after_at BIGINT,
    disabled_at  BIGINT,
    revoked_at   BIGINT,
    used_on      TEXT   NOT NULL DEFAULT '', -- the last day, in Bishkek
    UNIQUE (partner_id, n)
);
INSERT INTO partner_credentials (id, partner_id, n, kind, secret_hash, created_at)
SELECT id || '.1', id, 1, 'osmp', secret_hash, created_at FROM partners;
