-- name: AnswerJoined :execrows
UPDATE sms_inbound SET answered_at = $3, sealed = NULL, sender = ''
WHERE provider = $1 AND joins = $2 AND answered_at IS NULL;

-- name: JoinedInbound :many
SELECT message_id, part, received_at, sealed FROM sms_inbound
WHERE provider = $1 AND joins = $2 AND joins <> '' AND answered_at IS NULL
ORDER BY part, received_at, message_id;

-- name: AnsweredParts :many
SELECT part, echo FROM sms_inbound
WHERE provider = $1 AND joins = $2 AND joins <> '' AND answered_at >= $3;

-- name: WaitingInbound :many
SELECT provider, message_id, received_at, sealed FROM sms_inbound
WHERE sealed IS NOT NULL AND received_at < $1
ORDER BY received_at
LIMIT $2;

-- name: EarlierInbound :many
SELECT provider, message_id, received_at, sealed FROM sms_inbound
WHERE sealed IS NOT NULL AND sender = $1 AND received_at < $2
ORDER BY received_at
LIMIT $3;

-- name: WaitingSenders :many
SELECT DISTINCT sender FROM sms_inbound
WHERE sealed IS NOT NULL AND sender <> '' AND received_at < $1
LIMIT $2;

-- name: ForgetInbound :execrows
DELETE FROM sms_inbound WHERE answered_at < $1;

-- name: Echoes :many
SELECT message_id FROM sms_inbound
WHERE provider = $1 AND echo = $2 AND echo <> '' AND received_at >= $3 AND acknowledged_at IS NULL;

-- name: Acknowledge :exec
UPDATE sms_inbound SET acknowledged_at = $3 WHERE provider = $1 AND message_id = $2;

-- name: KeepFailure :exec
INSERT INTO sms_failures (id, provider, operator, failed_at) VALUES ($1, $2, $3, $4);

-- name: Failures :many
SELECT provider, operator, COUNT(*) AS failures FROM sms_failures
WHERE failed_at >= $1
GROUP BY provider, operator;

-- name: ForgetFailures :exec
DELETE FROM sms_failures WHERE failed_at < $1;

-- name: Weights :one
SELECT points, moved_at FROM sms_weights WHERE operator = $1;

-- name: BeginWeights :execrows
INSERT INTO sms_weights (operator, points, moved_at) VALUES ($1, $2, $3) ON CONFLICT (operator) DO NOTHING;

-- name: MoveWeights :execrows
UPDATE sms_weights SET points = $2, moved_at = $3 WHERE operator = $1 AND moved_at = $4;

-- name: Brake :one
INSERT INTO sms_brakes (sender, phone_sealed, provider, reason, since_at, until_at, silenced) VALUES ($1, $2, $3, $4, $5, $6, 1)
ON CONFLICT (sender) DO UPDATE SET
    phone_sealed = excluded.phone_sealed, provider = excluded.provider, reason = excluded.reason,
    since_at = CASE WHEN sms_brakes.until_at <= excluded.since_at THEN excluded.since_at ELSE sms_brakes.since_at END,
    until_at = CASE WHEN sms_brakes.until_at <= excluded.since_at THEN excluded.until_at ELSE sms_brakes.until_at END,
    silenced = sms_brakes.silenced + 1
RETURNING since_at, until_at;

-- name: Silenced :exec
UPDATE sms_brakes SET silenced = silenced + 1 WHERE sender = $1;

-- name: Brakes :many
SELECT * FROM sms_brakes ORDER BY until_at DESC LIMIT 200;

-- name: Exchange :one
SELECT * FROM sms_exchanges WHERE sender = $1;

-- name: ForgetExchanges :exec
DELETE FROM sms_exchanges WHERE text_at < $1;

-- name: ForgetBrakes :exec
DELETE FROM sms_brakes WHERE until_at < $1;
