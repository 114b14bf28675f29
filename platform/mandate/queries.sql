-- name: AddMandate :exec
INSERT INTO mandates (id, giver_index, giver_id, holder_id, services, giver_sealed, holder_sealed, phone_index, asked_at, expires_at, until_at,
    given_at, ended_at, ended_by, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, '', $13);

-- name: Mandate :one
SELECT * FROM mandates WHERE id = $1;

-- name: HoldMandate :one
UPDATE mandates SET id = id WHERE id = $1 RETURNING *;

-- name: GiveMandate :exec
UPDATE mandates SET giver_id = $2, giver_sealed = $3, phone_index = $4, given_at = $5, mac = $6 WHERE id = $1;

-- name: EndMandate :exec
UPDATE mandates SET ended_at = $2, ended_by = $3, mac = $4 WHERE id = $1;

-- name: OfGiver :many
-- What a person gave, then what is asked of them: however many ask, what they gave is seen.
SELECT * FROM mandates
WHERE giver_index = sqlc.arg(giver_index) AND ended_at IS NULL AND until_at > sqlc.arg(now) AND (given_at IS NOT NULL OR expires_at > sqlc.arg(now))
ORDER BY given_at IS NULL, asked_at DESC, id DESC LIMIT 50;

-- name: OfHolder :many
-- What a person was given, and what they asked for: also where it was refused, as who refused is known to be there.
SELECT * FROM mandates
WHERE holder_id = sqlc.arg(holder_id) AND until_at > sqlc.arg(now)
    AND (given_at IS NOT NULL AND ended_at IS NULL OR given_at IS NULL AND expires_at > sqlc.arg(now) AND ended_by IN ('', 'giver'))
ORDER BY asked_at DESC, id DESC LIMIT 50;

-- name: OfPhone :many
SELECT * FROM mandates WHERE phone_index = $1 AND ended_at IS NULL ORDER BY id;

-- name: AllOf :many
SELECT * FROM mandates WHERE giver_id = sqlc.arg(citizen) OR holder_id = sqlc.arg(citizen) ORDER BY asked_at DESC, id DESC LIMIT sqlc.arg(n);

-- name: AskedOf :many
SELECT * FROM mandates WHERE giver_index = $1 AND given_at IS NULL;

-- name: UnnameMandate :exec
UPDATE mandates SET giver_index = '', mac = $2 WHERE id = $1;

-- name: EraseMandate :exec
DELETE FROM mandates WHERE id = $1;

-- name: ForgetAsked :execrows
DELETE FROM mandates WHERE id IN (SELECT o.id FROM mandates o WHERE o.expires_at < $1 AND o.given_at IS NULL LIMIT 1000);

-- name: ForgetMandates :execrows
DELETE FROM mandates WHERE id IN (SELECT o.id FROM mandates o WHERE o.until_at < $1 LIMIT 1000);
