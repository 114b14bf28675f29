-- name: LastVersion :one
SELECT version FROM partner_events WHERE payment_id = $1 ORDER BY version DESC LIMIT 1;

-- name: InsertEvent :exec
INSERT INTO partner_events (id, partner_id, payment_id, version, kind, code, txn_id, reference, service, amount, refund, happened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: WithNewEvents :many
SELECT DISTINCT partner_id FROM partner_events WHERE seq = 0;

-- name: AddHead :exec
INSERT INTO partner_event_heads (partner_id, last) VALUES ($1, 0) ON CONFLICT DO NOTHING;

-- name: LockHead :one
-- Has whoever else numbers this partner's events wait for the end of the transaction.
UPDATE partner_event_heads SET last = last WHERE partner_id = $1 RETURNING last;

-- name: SetHead :exec
UPDATE partner_event_heads SET last = $2 WHERE partner_id = $1;

-- name: NewEvents :many
-- By version first: of one payment the earlier event gets the lower number, whatever the clocks say.
SELECT id FROM partner_events WHERE partner_id = sqlc.arg(partner_id) AND seq = 0 ORDER BY version, id LIMIT sqlc.arg(rows);

-- name: EventsAfter :many
SELECT * FROM partner_events WHERE partner_id = sqlc.arg(partner_id) AND seq > 0 AND seq > sqlc.arg(after)
ORDER BY seq LIMIT sqlc.arg(rows);

-- name: EventOf :one
SELECT * FROM partner_events WHERE id = sqlc.arg(id) AND partner_id = sqlc.arg(partner_id) AND seq > 0;

-- name: Webhook :one
SELECT * FROM partner_webhooks WHERE partner_id = $1;

-- name: SetWebhook :exec
INSERT INTO partner_webhooks (partner_id, url, made_at) VALUES ($1, $2, $3)
ON CONFLICT (partner_id) DO UPDATE SET url = excluded.url;

-- name: DropWebhook :execrows
DELETE FROM partner_webhooks WHERE partner_id = $1;

-- name: DropSecrets :exec
DELETE FROM partner_webhook_secrets WHERE partner_id = $1;

-- name: Secrets :many
SELECT * FROM partner_webhook_secrets WHERE partner_id = $1 ORDER BY n DESC;

-- name: AddSecret :exec
INSERT INTO partner_webhook_secrets (id, partner_id, n, sealed) VALUES ($1, $2, $3, $4);

-- name: EndSecrets :exec
UPDATE partner_webhook_secrets SET not_after_at = $2 WHERE partner_id = $1 AND not_after_at IS NULL;

-- name: Failing :exec
UPDATE partner_webhooks SET failing_since_at = $2 WHERE partner_id = $1 AND failing_since_at IS NULL;

-- name: Disable :execrows
UPDATE partner_webhooks SET disabled_at = $2, disabled_why = $3 WHERE partner_id = $1 AND proved_url = $4 AND disabled_at IS NULL;

-- name: Well :exec
UPDATE partner_webhooks SET failing_since_at = NULL WHERE partner_id = $1 AND failing_since_at IS NOT NULL;

-- name: Prove :execrows
UPDATE partner_webhooks SET proved_url = url, failing_since_at = NULL, disabled_at = NULL, disabled_why = ''
WHERE partner_id = $1 AND url = $2 AND disabled_why <> 'paused';

-- name: DuePartners :many
-- What is due later than any try can be was set by a clock that went wrong.
SELECT DISTINCT partner_id FROM partner_deliveries
WHERE state = 'waiting' AND (due_at <= sqlc.arg(now_at) OR due_at > sqlc.arg(beyond_at));

-- name: DueDeliveries :many
SELECT event_id, attempts FROM partner_deliveries
WHERE partner_id = sqlc.arg(partner_id) AND state = 'waiting' AND (due_at <= sqlc.arg(now_at) OR due_at > sqlc.arg(beyond_at))
ORDER BY due_at, event_id LIMIT sqlc.arg(rows);

-- name: ClaimDelivery :execrows
UPDATE partner_deliveries SET attempts = attempts + 1, due_at = sqlc.arg(due_at)
WHERE event_id = sqlc.arg(event_id) AND state = 'waiting' AND attempts = sqlc.arg(attempts);

-- name: EndDelivery :exec
UPDATE partner_deliveries SET state = sqlc.arg(state), due_at = sqlc.arg(due_at), status = sqlc.arg(status)
WHERE event_id = sqlc.arg(event_id) AND state = 'waiting' AND attempts = sqlc.arg(attempts);

-- name: GiveUp :exec
UPDATE partner_deliveries SET state = 'given_up' WHERE partner_id = $1 AND state = 'waiting';

-- name: ForgetDeliveries :exec
DELETE FROM partner_deliveries WHERE state <> 'waiting' AND due_at < $1;

-- name: Pause :execrows
UPDATE partner_webhooks SET disabled_at = $2, disabled_why = 'paused' WHERE partner_id = $1 AND disabled_why <> 'paused';

-- name: Resume :execrows
UPDATE partner_webhooks SET failing_since_at = NULL, disabled_at = NULL, disabled_why = '' WHERE partner_id = $1 AND disabled_why = 'paused';

-- name: Webhooks :many
SELECT * FROM partner_webhooks ORDER BY partner_id;
