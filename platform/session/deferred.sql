-- name: KeepDeferred :execrows
INSERT INTO session_promises (id, sealed, tries, made_at, due_at) VALUES ($1, $2, 0, $3, $4)
ON CONFLICT (id) DO NOTHING;

-- name: OpenDeferred :one
SELECT sealed, tries FROM session_promises WHERE id = $1 AND kept_at IS NULL;

-- name: TryDeferred :execrows
UPDATE session_promises SET tries = tries + 1 WHERE id = sqlc.arg(id) AND tries = sqlc.arg(tries) AND kept_at IS NULL;

-- name: CloseDeferred :execrows
UPDATE session_promises SET kept_at = $1, sealed = $2 WHERE id = $3 AND kept_at IS NULL;

-- name: OverdueDeferred :many
SELECT id FROM session_promises WHERE kept_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2;

-- name: PostponeDeferred :execrows
UPDATE session_promises SET due_at = sqlc.arg(until_at) WHERE id = sqlc.arg(id) AND due_at <= sqlc.arg(due_at) AND kept_at IS NULL;

-- name: ForgetDeferred :execrows
DELETE FROM session_promises WHERE kept_at < $1;
