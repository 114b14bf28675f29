-- name: AddKey :execrows
INSERT INTO sign_keys (kid, generation, public, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (generation) DO NOTHING;

-- name: Key :one
SELECT * FROM sign_keys WHERE kid = $1;

-- name: Keys :many
SELECT * FROM sign_keys ORDER BY generation DESC;
