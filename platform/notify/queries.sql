-- name: Waiting :one
SELECT * FROM notify_messages WHERE id = $1 AND state = 'queued';

-- name: Sent :execrows
-- A provider that uses an id twice must not have the message sent again: it is
-- then without one, and a report finds it by its phone at most. A report that overtook
-- the answer stays, and the answer adds what it did not tell. One that was replaced while
-- it was on its way was sent all the same.
UPDATE notify_messages
SET state = CASE
        WHEN notify_messages.state NOT IN ('queued', 'superseded') THEN notify_messages.state
        WHEN EXISTS (
            SELECT 1 FROM notify_strays
            WHERE notify_strays.phone_index = notify_messages.phone_index AND notify_strays.provider = sqlc.arg(provider) AND (
                notify_strays.provider_id = sqlc.narg(provider_id)
                OR (notify_strays.id_decimal <> '' AND notify_strays.id_decimal IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
                OR (notify_strays.id_hex <> '' AND notify_strays.id_hex IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
            )
        ) THEN 'delivered'
        ELSE 'sent'
    END,
    finished_at = COALESCE(finished_at, (
            SELECT MIN(heard_at) FROM notify_strays
            WHERE notify_strays.phone_index = notify_messages.phone_index AND notify_strays.provider = sqlc.arg(provider) AND (
                notify_strays.provider_id = sqlc.narg(provider_id)
                OR (notify_strays.id_decimal <> '' AND notify_strays.id_decimal IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
                OR (notify_strays.id_hex <> '' AND notify_strays.id_hex IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
            )
        )),
    sent_at = COALESCE(sent_at, sqlc.arg(sent_at)), leaving_until_at = NULL,
    text_sealed = sqlc.arg(text_sealed), provider = sqlc.arg(provider),
    operator = sqlc.arg(operator), parts = sqlc.arg(parts), cost = sqlc.arg(cost), tries = sqlc.arg(tries),
    id_decimal = sqlc.arg(id_decimal), id_hex = sqlc.arg(id_hex),
    provider_id = CASE
        WHEN EXISTS (
            SELECT 1 FROM notify_messages AS other WHERE other.provider_id = sqlc.narg(provider_id) AND other.id <> notify_messages.id
        ) THEN NULL
        ELSE sqlc.narg(provider_id)
    END
WHERE notify_messages.id = sqlc.arg(id)
    AND (notify_messages.state IN ('queued', 'superseded') OR notify_messages.provider_id = sqlc.narg(provider_id));

-- name: Match :execrows
-- A message that is queued for another try, or was replaced, though a provider has it. The operator that
-- it was sent by counts before what a report knows of the number.
UPDATE notify_messages
SET state = sqlc.arg(state), provider_id = sqlc.narg(provider_id), provider = sqlc.arg(provider),
    operator = CASE WHEN notify_messages.operator <> '' THEN notify_messages.operator ELSE sqlc.arg(operator) END,
    sent_at = sqlc.arg(sent_at), finished_at = sqlc.arg(finished_at),
    id_decimal = sqlc.arg(id_decimal), id_hex = sqlc.arg(id_hex),
    text_sealed = CASE WHEN notify_messages.purpose = sqlc.arg(code) THEN sqlc.arg(nothing) ELSE notify_messages.text_sealed END
WHERE notify_messages.id = sqlc.arg(id) AND notify_messages.state IN ('queued', 'superseded')
    AND NOT EXISTS (SELECT 1 FROM notify_messages AS other WHERE other.provider_id = sqlc.narg(provider_id));

-- name: MarkUncertain :exec
-- A message that a report told of meanwhile gets what it cost.
UPDATE notify_messages SET doubted_at = $2, provider = $3, operator = $4, parts = $5, cost = $6, uncertain = uncertain + 1
WHERE id = $1 AND (state IN ('queued', 'superseded') OR (parts = 0 AND provider = $3));

-- name: QueuedAbout :many
-- What waits about a thing, to one phone or, without one, to whichever.
SELECT id FROM notify_messages
WHERE topic = sqlc.arg(topic) AND topic <> '' AND state = 'queued'
    AND phone_index = COALESCE(NULLIF(CAST(sqlc.arg(phone_index) AS TEXT), ''), phone_index);

-- name: Supersede :execrows
UPDATE notify_messages
SET state = 'superseded', finished_at = sqlc.arg(finished_at),
    text_sealed = CASE WHEN purpose = sqlc.arg(code) THEN sqlc.arg(nothing) ELSE text_sealed END
WHERE id = sqlc.arg(id) AND state = 'queued';

-- name: CountSuperseded :one
SELECT COUNT(*) FROM notify_messages WHERE state = 'superseded';

-- name: CountAhead :one
-- The messages about the same to its phone that leave before this one: those on their way, and
-- of what was written together with it the earlier ones that no provider may have yet.
SELECT COUNT(*) FROM notify_messages
WHERE topic = sqlc.arg(topic) AND topic <> '' AND phone_index = sqlc.arg(phone_index) AND id <> sqlc.arg(id) AND (
    leaving_until_at > sqlc.arg(now_at) OR (state = 'queued' AND id < sqlc.arg(id) AND doubted_at IS NULL)
);

-- name: Leave :execrows
UPDATE notify_messages SET leaving_until_at = sqlc.arg(until_at) WHERE id = sqlc.arg(id) AND state = 'queued';

-- name: Stay :exec
UPDATE notify_messages SET leaving_until_at = NULL WHERE id = $1;

-- name: Refused :execrows
-- The answer came late: the provider has not taken the message.
UPDATE notify_messages SET doubted_at = CASE WHEN uncertain > 1 THEN doubted_at END, uncertain = uncertain - 1 WHERE id = $1 AND state = 'queued' AND uncertain > 0;

-- name: MayBeMeant :many
-- The messages to a phone that a report with an unknown id can be about: all but those
-- that were sent once, with an id, before the report, and reported on. Some centres
-- write the id of a message in two ways.
SELECT id FROM notify_messages
WHERE phone_index = $1 AND (state = 'queued' OR queued_at > $2)
    AND (state IN ('queued', 'sent') OR tries <> 1 OR doubted_at IS NOT NULL OR provider_id IS NULL OR sent_at >= $3)
LIMIT 2;

-- name: KeepOrphan :exec
INSERT INTO notify_strays (provider_id, provider, phone_index, heard_at, id_decimal, id_hex) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider_id) DO NOTHING;

-- name: Orphans :many
SELECT notify_strays.provider_id, notify_strays.provider FROM notify_strays
WHERE notify_strays.phone_index = sqlc.arg(phone_index) AND notify_strays.heard_at >= sqlc.arg(heard_at)
    AND notify_strays.provider = COALESCE(NULLIF(CAST(sqlc.arg(provider) AS TEXT), ''), notify_strays.provider)
    AND NOT EXISTS (SELECT 1 FROM notify_messages WHERE notify_messages.provider_id = notify_strays.provider_id)
LIMIT 2;

-- name: ForgetOrphans :exec
DELETE FROM notify_strays WHERE heard_at < $1;

-- name: GiveUp :execrows
UPDATE notify_messages SET state = $1, finished_at = $2, text_sealed = $3, tries = $5 WHERE id = $4 AND state = 'queued';

-- name: Finish :execrows
UPDATE notify_messages SET state = $1, finished_at = $2 WHERE provider_id = $3 AND state = 'sent';

-- name: Unreported :many
-- Messages that a provider has, or may have, and has not told the end of. What is over
-- is asked for a little longer, as its delivery counts all the same.
SELECT id, provider_id, phone_sealed, asked FROM notify_messages
WHERE provider = sqlc.arg(provider) AND (
        (state = 'sent' AND sent_at >= sqlc.arg(oldest) AND sent_at <= sqlc.arg(newest))
        OR (state = 'queued' AND doubted_at >= sqlc.arg(oldest) AND doubted_at <= sqlc.arg(newest))
    )
    AND (ask_at IS NULL OR ask_at <= sqlc.arg(at))
    AND (expires_at IS NULL OR expires_at > sqlc.arg(at) OR COALESCE(sent_at, doubted_at) >= sqlc.arg(recent))
ORDER BY COALESCE(ask_at, sent_at, doubted_at)
LIMIT sqlc.arg(most);

-- name: Ask :execrows
UPDATE notify_messages SET ask_at = $1, asked = asked + 1 WHERE id = $2 AND asked = $3 AND state IN ('sent', 'queued');

-- name: Meant :many
-- The messages that a report can be about.
SELECT id, provider_id, phone_index FROM notify_messages
WHERE provider = sqlc.arg(provider) AND (
    provider_id = sqlc.arg(provider_id)
    OR (id_decimal <> '' AND id_decimal IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
    OR (id_hex <> '' AND id_hex IN (sqlc.arg(id_decimal), sqlc.arg(id_hex)))
)
LIMIT 50;

-- name: FinishMeant :execrows
UPDATE notify_messages SET state = $1, finished_at = $2 WHERE id = $3 AND state = 'sent';

-- name: ByProvider :one
SELECT state FROM notify_messages WHERE provider_id = $1;

-- name: CountTold :one
SELECT COUNT(*) FROM notify_messages WHERE turn = $1 AND turn <> '';

-- name: CountReach :one
-- How many messages about a person have a name that begins so, and how many of them were sent or
-- wait to be, but for one phone.
SELECT COUNT(*) AS made,
    CAST(COALESCE(SUM(CASE WHEN state IN ('sent', 'delivered') OR state = 'queued' AND phone_index <> sqlc.arg(phone_index) THEN 1 ELSE 0 END), 0) AS BIGINT) AS reached
FROM notify_messages
WHERE about = sqlc.arg(about) AND about <> '' AND SUBSTR(dedup, 1, LENGTH(CAST(sqlc.arg(prefix) AS TEXT))) = CAST(sqlc.arg(prefix) AS TEXT);

-- name: List :many
SELECT * FROM notify_messages WHERE phone_index = $1 ORDER BY queued_at DESC, id DESC LIMIT 100;

-- name: Drop :execrows
UPDATE notify_messages SET state = $1, finished_at = $2, text_sealed = $3 WHERE phone_index = $4 AND state = 'queued';

-- name: DropAbout :exec
UPDATE notify_messages SET state = $1, finished_at = $2, text_sealed = $3 WHERE phone_index = $4 AND about = $5 AND state = 'queued';

-- name: Stop :exec
INSERT INTO notify_stops (phone_index, stopped_at) VALUES ($1, $2) ON CONFLICT (phone_index) DO NOTHING;

-- name: Start :exec
DELETE FROM notify_stops WHERE phone_index = $1;

-- name: IsStopped :one
SELECT COUNT(*) FROM notify_stops WHERE phone_index = $1;

-- name: Outcomes :many
SELECT provider, operator, COUNT(*) AS messages,
    CAST(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed,
    CAST(SUM(CASE WHEN state = 'delivered' AND finished_at - sent_at > CAST(sqlc.arg(late) AS BIGINT) THEN 1 ELSE 0 END) AS BIGINT) AS slow,
    CAST(SUM(CASE WHEN state = 'sent' AND sent_at < sqlc.arg(sent_before) THEN 1 ELSE 0 END) AS BIGINT) AS silent
FROM notify_messages
WHERE sent_at >= sqlc.arg(sent_at)
GROUP BY provider, operator;

-- name: About :many
SELECT * FROM notify_messages WHERE about = $1 AND about <> '' ORDER BY queued_at DESC LIMIT $2;

-- name: EraseAbout :exec
DELETE FROM notify_messages WHERE about = $1 AND about <> '';

-- name: ForgetMessages :execrows
DELETE FROM notify_messages WHERE id IN (SELECT o.id FROM notify_messages o WHERE o.queued_at < $1 AND o.state <> 'queued' LIMIT 1000);
