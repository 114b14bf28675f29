-- +goose Up
-- A credential may be a certificate: its SHA-256 thumbprint (RFC 8705), for those who look
-- after it. What a partner shows is compared with the hash, as a secret is.
ALTER TABLE partner_credentials ADD COLUMN thumbprint TEXT NOT NULL DEFAULT '';
