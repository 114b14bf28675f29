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
