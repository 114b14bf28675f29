-- name: MakePromise :exec
INSERT INTO session_promises (id, sealed, tries, made_at, due_at) VALUES ($1, $2, 0, $3, $4)
ON CONFLICT (id) DO NOTHING;

-- name: DuePromises :many
SELECT id, sealed, tries, made_at, due_at FROM session_promises
WHERE kept_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2;

-- name: TakePromise :execrows
UPDATE session_promises SET tries = tries + 1, due_at = sqlc.arg(until_at)
WHERE id = sqlc.arg(id) AND tries = sqlc.arg(tries) AND kept_at IS NULL;

-- name: KeepPromise :execrows
UPDATE session_promises SET kept_at = $1, sealed = $2 WHERE id = $3 AND kept_at IS NULL;

-- name: ForgetPromises :execrows
DELETE FROM session_promises WHERE kept_at < $1;
