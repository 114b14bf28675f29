-- name: AddAccount :execrows
INSERT INTO staff_accounts (id, login, person, role, office, password_hash, totp_sealed, founder, made_at, owes, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING;

-- name: AccountByLogin :one
SELECT * FROM staff_accounts WHERE login = $1;

-- name: Accounts :many
SELECT * FROM staff_accounts ORDER BY login;

-- name: HoldAccounts :exec
UPDATE staff_accounts SET role = role;

-- name: UseTOTP :execrows
UPDATE staff_accounts SET totp_step = sqlc.arg(step) WHERE id = sqlc.arg(id) AND mac = sqlc.arg(mac) AND totp_step < sqlc.arg(step);

-- name: ChangeAccount :execrows
UPDATE staff_accounts SET password_hash = sqlc.arg(password_hash), totp_sealed = sqlc.arg(totp_sealed),
    disabled_at = sqlc.narg(disabled_at), owes = sqlc.arg(owes), mac = sqlc.arg(mac)
WHERE id = sqlc.arg(id) AND mac = sqlc.arg(was);

-- name: RestartTOTP :exec
UPDATE staff_accounts SET totp_step = $1 WHERE id = $2;

-- name: AddSession :exec
INSERT INTO staff_sessions (token_mac, account_id, begun_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: Session :one
SELECT * FROM staff_sessions WHERE token_mac = $1;

-- name: AccountOfSession :one
SELECT a.* FROM staff_accounts a JOIN staff_sessions s ON s.account_id = a.id WHERE s.token_mac = $1;

-- name: UseSession :execrows
UPDATE staff_sessions SET used_at = $1 WHERE token_mac = $2;

-- name: EndSession :execrows
DELETE FROM staff_sessions WHERE token_mac = $1;

-- name: SessionsOf :many
SELECT * FROM staff_sessions WHERE account_id = $1 AND expires_at > $2 AND used_at > $3 ORDER BY used_at DESC, token_mac;

-- name: EndSessionsOf :exec
DELETE FROM staff_sessions WHERE account_id = $1;

-- name: ForgetSessions :exec
DELETE FROM staff_sessions WHERE expires_at <= $1;

-- name: CountAttempt :one
INSERT INTO staff_attempts (account, origin, tries, since_at) VALUES (sqlc.arg(account), sqlc.arg(origin), 1, sqlc.arg(since_at))
ON CONFLICT (account, origin) DO UPDATE SET
    tries = CASE WHEN staff_attempts.since_at <= sqlc.arg(stale_at) THEN 1 ELSE staff_attempts.tries + 1 END,
    since_at = CASE WHEN staff_attempts.since_at <= sqlc.arg(stale_at) THEN excluded.since_at ELSE staff_attempts.since_at END
RETURNING tries, since_at, good_at;

-- name: ForgiveAttempt :exec
UPDATE staff_attempts SET tries = tries - 1 WHERE account = $1 AND origin = $2 AND tries > 0;

-- name: HolderAttempt :exec
UPDATE staff_attempts SET tries = 0, good_at = $1 WHERE account = $2 AND origin = $3;

-- name: ForgetAttempts :exec
DELETE FROM staff_attempts WHERE since_at <= sqlc.arg(since_at) AND (good_at IS NULL OR good_at <= sqlc.arg(good_at));

-- name: AddProposal :exec
INSERT INTO staff_proposals (id, operation, sealed, proposed_by, proposed_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: Proposal :one
SELECT * FROM staff_proposals WHERE id = $1;

-- name: WaitingProposals :many
SELECT * FROM staff_proposals WHERE outcome = '' AND expires_at > $1 ORDER BY expires_at, id;

-- name: DecideProposal :execrows
UPDATE staff_proposals SET outcome = $1, decided_by = $2, decided_at = $3 WHERE id = $4 AND outcome = '' AND expires_at > $5;

-- name: ForgetProposals :exec
DELETE FROM staff_proposals WHERE outcome = '' AND expires_at <= $1;
