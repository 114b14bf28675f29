-- name: Begin :exec
INSERT INTO seal_rewrites (number, place, after, resealed, failed) VALUES ($1, $2, '', 0, 0)
ON CONFLICT (number, place) DO NOTHING;

-- name: Forget :exec
DELETE FROM seal_rewrites WHERE number < $1;

-- name: Lock :exec
UPDATE seal_rewrites SET after = after WHERE number = $1 AND place = $2;

-- name: Rewrite :one
SELECT * FROM seal_rewrites WHERE number = $1 AND place = $2;

-- name: Rewrites :many
SELECT * FROM seal_rewrites WHERE number = $1 ORDER BY place;

-- name: Reach :exec
UPDATE seal_rewrites SET after = sqlc.arg(after), resealed = resealed + sqlc.arg(resealed), failed = failed + sqlc.arg(failed),
    done_at = sqlc.narg(done_at)
WHERE number = sqlc.arg(number) AND place = sqlc.arg(place);

-- name: Again :exec
UPDATE seal_rewrites SET after = '', failed = 0, done_at = NULL WHERE number = $1;
