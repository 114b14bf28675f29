-- name: InsertEvent :exec
INSERT INTO analytics_events (id, happened_at, day, service, step, channel, locale, operator, region, outcome, duration_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: CountUse :many
SELECT day, service, channel, outcome, COUNT(*) AS uses
FROM analytics_events
WHERE day >= sqlc.arg(first_day) AND day <= sqlc.arg(last_day)
GROUP BY day, service, channel, outcome
ORDER BY day, service, channel, outcome;
