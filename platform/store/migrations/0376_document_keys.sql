-- +goose Up
-- The keys that sign the files which people download, as readers of PDF check them.
CREATE TABLE document_keys (
    kid         TEXT   PRIMARY KEY, -- hex of the SHA-256 of SubjectPublicKeyInfo, cut to 8 bytes
    generation  BIGINT NOT NULL UNIQUE, -- 1, 2, …
    certificate BYTEA  NOT NULL, -- X.509 in DER, by the key itself
    sealed      BYTEA  NOT NULL, -- PKCS #8, sealed
    made_at     BIGINT NOT NULL
);
