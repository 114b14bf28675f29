-- name: Begin :execrows
INSERT INTO transparency_trees (name, origin, size, key_sealed, made_at)
VALUES ($1, $2, 0, $3, $4)
ON CONFLICT (name) DO NOTHING;

-- name: Tree :one
SELECT * FROM transparency_trees WHERE name = $1;

-- name: Grow :execrows
UPDATE transparency_trees SET size = $1 WHERE name = $2 AND size = $3;

-- name: Hash :one
SELECT hash FROM transparency_hashes WHERE tree = $1 AND idx = $2;
