-- name: AddIntent :execrows
INSERT INTO certificates (id, number, request_key, citizen_id, holder_id, holder_ref, kind, state, intent_sealed, requested_at, status_index)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'requested', $8, $9, $10)
ON CONFLICT DO NOTHING;

-- name: MarkIssued :execrows
UPDATE certificates SET state = 'issued', signed_sealed = $2, issued_at = $3
WHERE id = $1 AND state = 'requested';

-- name: MarkDropped :execrows
UPDATE certificates SET state = 'dropped' WHERE id = $1 AND state = 'requested';

-- name: MarkRevoked :execrows
UPDATE certificates SET state = 'revoked', revoked_at = $2
WHERE number = $1 AND state = 'issued';

-- name: ByID :one
SELECT * FROM certificates WHERE id = $1;

-- name: ByNumber :one
SELECT * FROM certificates WHERE number = $1;

-- name: ByRequestKey :one
SELECT * FROM certificates WHERE request_key = $1;

-- name: Ordered :one
SELECT * FROM certificates
WHERE citizen_id = $1 AND kind = $2 AND holder_ref = $3 AND requested_at > $4 AND state IN ('requested', 'issued')
ORDER BY requested_at DESC, id DESC
LIMIT 1;

-- name: OfCitizen :many
SELECT * FROM certificates
WHERE citizen_id = $1 AND state IN ('issued', 'revoked')
ORDER BY requested_at DESC, id DESC
LIMIT 100;

-- name: AllOfCitizen :many
SELECT * FROM certificates WHERE citizen_id = $1 ORDER BY requested_at DESC, id DESC LIMIT $2;

-- name: AllOfHolder :many
SELECT * FROM certificates WHERE holder_id = $1 AND holder_id <> '' ORDER BY requested_at DESC, id DESC LIMIT $2;

-- name: Reseal :exec
UPDATE certificates SET intent_sealed = $2 WHERE id = $1;

-- name: HighestStatus :one
SELECT status_index FROM certificates WHERE status_index IS NOT NULL ORDER BY status_index DESC LIMIT 1;

-- name: StatusTaken :one
SELECT COUNT(*) FROM certificates WHERE status_index = $1 AND status_index IS NOT NULL;

-- name: RevokedStatuses :many
SELECT status_index FROM certificates WHERE state = 'revoked' AND status_index IS NOT NULL ORDER BY status_index;

-- name: HoldCertificate :exec
UPDATE certificates SET state = state WHERE id = $1;

-- name: LiveShare :one
SELECT * FROM certificate_shares
WHERE certificate_id = $1 AND void_at IS NULL AND expires_at > $2
ORDER BY expires_at DESC, id DESC
LIMIT 1;

-- name: AddShare :exec
INSERT INTO certificate_shares (id, certificate_id, phone_index, made_at, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: VoidShares :many
UPDATE certificate_shares SET void_at = $2 WHERE certificate_id = $1 AND void_at IS NULL RETURNING *;

-- name: VoidSharesOfPhone :many
UPDATE certificate_shares SET void_at = $2 WHERE phone_index = $1 AND void_at IS NULL RETURNING *;

-- name: TryShare :execrows
UPDATE certificate_shares SET tries = tries + 1
WHERE id = sqlc.arg(id) AND tries < sqlc.arg(most_tries) AND opened < sqlc.arg(most_opened)
    AND void_at IS NULL AND expires_at > sqlc.arg(now);

-- name: OpenShare :exec
UPDATE certificate_shares SET tries = tries - 1, opened = opened + 1 WHERE id = $1;

-- name: ForgetShares :exec
DELETE FROM certificate_shares WHERE expires_at < $1;

-- name: DropShares :exec
DELETE FROM certificate_shares WHERE certificate_id = $1;
