-- name: AddKey :execrows
INSERT INTO sign_keys (kid, generation, public, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (generation) DO NOTHING;

-- name: Key :one
SELECT * FROM sign_keys WHERE kid = $1;

-- name: Keys :many
SELECT * FROM sign_keys ORDER BY generation DESC;

-- name: RevealKey :exec
UPDATE sign_keys SET revealed_at = $2 WHERE kid = $1 AND revealed_at IS NULL;

-- name: AddDocumentKey :execrows
INSERT INTO document_keys (kid, generation, certificate, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (generation) DO NOTHING;

-- name: DocumentKeys :many
SELECT * FROM document_keys ORDER BY generation;
