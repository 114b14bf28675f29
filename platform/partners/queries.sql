-- name: CreatePartner :execrows
INSERT INTO partners (id, secret_hash, created_at, scopes, networks, per_minute, per_day)
VALUES ($1, '', $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING;

-- name: LockPartner :one
-- Has whoever else changes this partner wait for the end of the transaction. The hash of
-- versions before goes: where one of them runs again, no secret that ended is good there.
UPDATE partners SET secret_hash = '' WHERE id = $1 RETURNING *;

-- name: SetPartner :exec
UPDATE partners SET scopes = $2, networks = $3, per_minute = $4, per_day = $5, disabled_at = $6 WHERE id = $1;

-- name: Partner :one
SELECT * FROM partners WHERE id = $1;

-- name: Partners :many
SELECT * FROM partners ORDER BY id;

-- name: Credentials :many
SELECT * FROM partner_credentials WHERE partner_id = $1 ORDER BY n;

-- name: CredentialsOf :many
-- The secrets of a partner for one door, with the partner.
SELECT sqlc.embed(p), sqlc.embed(c) FROM partners p JOIN partner_credentials c ON c.partner_id = p.id
WHERE p.id = $1 AND c.kind = $2 ORDER BY c.n;

-- name: Credential :one
SELECT sqlc.embed(p), sqlc.embed(c) FROM partners p JOIN partner_credentials c ON c.partner_id = p.id
WHERE c.id = $1;

-- name: AddCredential :exec
INSERT INTO partner_credentials (id, partner_id, n, kind, secret_hash, thumbprint, created_at, not_after_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: SetCredential :exec
UPDATE partner_credentials SET not_after_at = $2, disabled_at = $3, revoked_at = $4 WHERE id = $1;

-- name: UsedOn :exec
UPDATE partner_credentials SET used_on = sqlc.arg(today) WHERE id = sqlc.arg(id) AND used_on < sqlc.arg(today);

-- name: RenewSecret :exec
UPDATE partner_credentials SET secret_hash = $2 WHERE id = $1 AND secret_hash = sqlc.arg(was);
