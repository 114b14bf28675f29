-- name: AskErasure :execrows
INSERT INTO owndata_erasures (id, citizen_id, open_citizen, phone_index, phone_sealed, locale, asked_at, due_at)
VALUES ($1, $2, $2, $3, $4, $5, $6, $7)
ON CONFLICT (open_citizen) DO NOTHING;

-- name: OpenErasure :one
SELECT * FROM owndata_erasures WHERE open_citizen = $1;

-- name: LockErasure :one
UPDATE owndata_erasures SET due_at = due_at WHERE id = $1 AND open_citizen IS NOT NULL RETURNING *;

-- name: WithdrawErasure :one
UPDATE owndata_erasures SET open_citizen = NULL, phone_index = '', phone_sealed = sqlc.arg(nothing), withdrawn_at = sqlc.arg(withdrawn_at)
WHERE open_citizen = sqlc.arg(citizen_id) RETURNING *;

-- name: CutErasures :many
UPDATE owndata_erasures SET open_citizen = NULL, phone_index = '', phone_sealed = sqlc.arg(nothing), withdrawn_at = sqlc.arg(withdrawn_at)
WHERE phone_index = sqlc.arg(phone_index) AND open_citizen IS NOT NULL RETURNING *;

-- name: EndErasure :exec
UPDATE owndata_erasures SET open_citizen = NULL, phone_index = '', phone_sealed = $1, done_at = $2 WHERE id = $3;

-- name: DueErasures :many
SELECT id FROM owndata_erasures WHERE open_citizen IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2;
