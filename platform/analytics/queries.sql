-- name: CountUse :many
SELECT day, service, channel, outcome, CAST(SUM(times) AS BIGINT) AS uses
FROM analytics_events
WHERE day >= sqlc.arg(first_day) AND day <= sqlc.arg(last_day)
GROUP BY day, service, channel, outcome
ORDER BY day, service, channel, outcome;
