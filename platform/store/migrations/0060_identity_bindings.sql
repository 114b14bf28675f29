-- +goose Up
-- The phones that were proved for a person, so that each is told when another is,
-- and is not refused for what strangers guess about its person.
CREATE TABLE identity_bindings (
    citizen_id       TEXT   NOT NULL REFERENCES identity_citizens (id),
    phone_index      TEXT   NOT NULL,
    phone_sealed     BYTEA,           -- NULL: proved before phones were kept, so it cannot be told
    locale           TEXT   NOT NULL, -- the language it was proved in
    document_mac     TEXT   NOT NULL, -- keyed hash of the document it was proved with; '' where none was kept
    bound_at         BIGINT NOT NULL,
    blocked_until_at BIGINT,          -- an earlier phone of the person undid it
    PRIMARY KEY (citizen_id, phone_index)
);
CREATE INDEX identity_bindings_phone ON identity_bindings (phone_index);
INSERT INTO identity_bindings (citizen_id, phone_index, phone_sealed, locale, document_mac, bound_at)
SELECT p.citizen_id, p.phone_index, NULL, '', '', MIN(p.proved_at)
FROM identity_proofs p JOIN identity_phones h ON h.phone_index = p.phone_index
WHERE h.tenure = 0 GROUP BY p.citizen_id, p.phone_index;

-- What a phone was told about another one, and may undo.
CREATE TABLE identity_notices (
    id          TEXT   PRIMARY KEY,
    number      TEXT   NOT NULL, -- what the message says to write after the word
    told_index  TEXT   NOT NULL,
    citizen_id  TEXT   NOT NULL,
    phone_index TEXT   NOT NULL, -- the phone that was proved
    made_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    undone_at   BIGINT
);
CREATE INDEX identity_notices_told ON identity_notices (told_index, made_at);
CREATE INDEX identity_notices_phone ON identity_notices (phone_index);

-- Tokens of an earlier generation of a phone are void.
ALTER TABLE identity_phones ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_phones ADD COLUMN released_at BIGINT;
-- A guess from a phone that was proved for the person before is counted apart.
ALTER TABLE identity_attempts ADD COLUMN known BOOLEAN NOT NULL DEFAULT FALSE;
