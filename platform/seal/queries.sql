-- name: Keys :many
SELECT * FROM seal_keys ORDER BY number;

-- name: LockKeys :exec
UPDATE seal_keys SET number = number WHERE number = 0;

-- name: AddKey :execrows
INSERT INTO seal_keys (number, master, wrapped, made_at, seals_from_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (number) DO NOTHING;

-- name: Wrap :execrows
UPDATE seal_keys SET master = sqlc.arg(master), wrapped = sqlc.arg(wrapped) WHERE number = sqlc.arg(number) AND master = sqlc.arg(was);

-- name: Destroy :exec
UPDATE seal_keys SET wrapped = sqlc.arg(nothing), destroyed_at = sqlc.arg(destroyed_at) WHERE number = sqlc.arg(number);
