-- +goose Up
CREATE TABLE sign_keys (
    kid        TEXT   PRIMARY KEY, -- hex of the key's thumbprint, cut to 8 bytes
    generation BIGINT NOT NULL UNIQUE, -- 1, 2, …; the highest one signs
    public     BYTEA  NOT NULL, -- COSE_Key
    sealed     BYTEA  NOT NULL, -- PKCS #8, sealed
    made_at    BIGINT NOT NULL
);
