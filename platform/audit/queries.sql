-- name: Record :exec
INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose, mac, decided)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: UnsealedAfter :many
SELECT * FROM audit_records WHERE n IS NULL AND id > $1 ORDER BY id LIMIT $2;

-- name: SealRecord :execrows
UPDATE audit_records SET n = $1, mac = $2 WHERE id = $3 AND n IS NULL;

-- name: StartHead :exec
INSERT INTO audit_head (id, n, mac, own) VALUES (1, $1, $2, $3) ON CONFLICT (id) DO NOTHING;

-- name: Head :one
SELECT * FROM audit_head WHERE id = 1;

-- name: MoveHead :execrows
UPDATE audit_head SET n = $1, mac = $2, own = $3 WHERE id = 1 AND n = $4;

-- name: Sealed :many
SELECT * FROM audit_records WHERE n > $1 ORDER BY n LIMIT $2;

-- name: Ends :one
SELECT h.n, h.mac, h.own, (SELECT COUNT(*) FROM audit_records WHERE audit_records.n IS NOT NULL) AS sealed
FROM audit_head h WHERE h.id = 1;

-- name: CountSealed :one
SELECT COUNT(*) FROM audit_records WHERE n IS NOT NULL;

-- name: OfSubject :many
SELECT * FROM audit_records WHERE subject = $1 ORDER BY happened_at DESC, id DESC LIMIT $2 OFFSET $3;

-- name: CountOfSubject :one
SELECT COUNT(*) FROM audit_records WHERE subject = $1;

-- name: CountSince :one
SELECT COUNT(*) FROM audit_records
WHERE subject = sqlc.arg(subject) AND happened_at > sqlc.arg(happened_at) AND action = sqlc.arg(action) AND actor = sqlc.arg(actor);

-- name: OfObject :many
SELECT * FROM audit_records WHERE subject = $1 AND object = $2 ORDER BY happened_at, id;

-- name: SealedMac :one
SELECT mac FROM audit_records WHERE n = $1;
