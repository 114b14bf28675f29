-- name: LoadRecord :one
SELECT version, expires_at, sealed FROM session_records WHERE key = $1;

-- name: InsertRecord :execrows
INSERT INTO session_records (key, version, expires_at, sealed) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO NOTHING;

-- name: UpdateRecord :execrows
UPDATE session_records SET version = sqlc.arg(version), expires_at = sqlc.arg(expires_at), sealed = sqlc.arg(sealed)
WHERE key = sqlc.arg(key) AND version = sqlc.arg(expect);

-- name: DeleteRecord :execrows
DELETE FROM session_records WHERE key = $1 AND version = $2;

-- name: ExpiredRecords :many
SELECT key, version, expires_at, sealed FROM session_records WHERE expires_at < $1 ORDER BY expires_at LIMIT $2;

-- name: AnyRecord :one
SELECT key FROM session_records LIMIT 1;
