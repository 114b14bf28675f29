-- name: AddKey :execrows
INSERT INTO sign_keys (kid, generation, public, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (generation) DO NOTHING;

-- name: CurrentKey :one
SELECT * FROM sign_keys ORDER BY generation DESC LIMIT 1;

-- name: PublicKey :one
SELECT public FROM sign_keys WHERE kid = $1;

-- name: PublicKeys :many
SELECT kid, generation, public, made_at FROM sign_keys ORDER BY generation;
