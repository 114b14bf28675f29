-- name: AddRegistration :execrows
INSERT INTO preschool_registrations (id, number, turn, state, child_index, active_child, child, citizen_id, phone_index,
    phone, locale, cohort, benefit, benefit_rank, registered_at, queued_at)
VALUES ($1, $2, $3, 'waiting', $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT DO NOTHING;

-- name: AddChoice :exec
INSERT INTO preschool_choices (registration_id, choice, number, kindergarten, name_ky, name_ru, cohort, queued,
    benefit_rank, queued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, TRUE, $8, $9);

-- name: ByTurn :one
SELECT * FROM preschool_registrations WHERE turn = $1;

-- name: ByNumber :one
SELECT * FROM preschool_registrations WHERE number = $1;

-- name: HeldOfChild :one
SELECT * FROM preschool_registrations WHERE child_index = $1 AND state IN ('waiting', 'offered', 'placed')
ORDER BY CASE state WHEN 'placed' THEN 0 ELSE 1 END, registered_at DESC, number LIMIT 1;

-- name: PlacedOfChild :one
SELECT * FROM preschool_registrations WHERE child_index = $1 AND state = 'placed' ORDER BY registered_at DESC, number LIMIT 1;

-- name: LeavePlace :execrows
UPDATE preschool_registrations SET state = 'left', active_child = NULL WHERE id = $1 AND state = 'placed';

-- name: Withdraw :execrows
UPDATE preschool_registrations SET state = 'withdrawn', active_child = NULL, place_kept_until_at = $1
WHERE id = $2 AND state IN ('waiting', 'offered');

-- name: NewestOfChild :one
SELECT * FROM preschool_registrations WHERE child_index = $1 ORDER BY registered_at DESC, id DESC LIMIT 1;

-- name: Unheard :many
-- The citizens' registrations that nobody hears of, and those taken over that are offered a place.
SELECT * FROM preschool_registrations
WHERE phone_index = '' AND (state = 'offered' OR state = 'waiting' AND citizen_id <> '') ORDER BY state, registered_at, number LIMIT 1000;

-- name: Choices :many
SELECT * FROM preschool_choices WHERE registration_id = $1 ORDER BY choice;

-- name: Standings :many
-- How many are before a registration for certain, and how many are level with it: among those of one
-- moment an allocation's lot decides, which is drawn anew for each.
SELECT me.kindergarten, me.name_ky, me.name_ru, me.queued,
    (SELECT count(*) FROM preschool_choices other
     WHERE other.kindergarten = me.kindergarten AND other.cohort = me.cohort AND other.queued = TRUE
         AND (other.benefit_rank, other.queued_at) < (me.benefit_rank, me.queued_at)) AS ahead,
    (SELECT count(*) FROM preschool_choices other
     WHERE other.kindergarten = me.kindergarten AND other.cohort = me.cohort AND other.queued = TRUE
         AND other.benefit_rank = me.benefit_rank AND other.queued_at = me.queued_at AND other.registration_id <> me.registration_id) AS level
FROM preschool_choices me WHERE me.registration_id = $1 ORDER BY me.choice;

-- name: WaitingAhead :one
-- Of those who can be offered a place at once: who is before, and who is level.
SELECT count(CASE WHEN (other.benefit_rank, other.queued_at) < (me.benefit_rank, me.queued_at) THEN 1 END) AS before,
    count(CASE WHEN other.benefit_rank = me.benefit_rank AND other.queued_at = me.queued_at THEN 1 END) AS level
FROM preschool_choices me
JOIN preschool_choices other ON other.kindergarten = me.kindergarten AND other.cohort = me.cohort AND other.queued = TRUE
    AND (other.benefit_rank, other.queued_at) <= (me.benefit_rank, me.queued_at) AND other.registration_id <> me.registration_id
JOIN preschool_registrations r ON r.id = other.registration_id AND r.state = 'waiting'
WHERE me.registration_id = $1 AND me.kindergarten = $2
    AND NOT EXISTS (SELECT 1 FROM preschool_offers o WHERE o.registration_id = other.registration_id
        AND o.kindergarten = me.kindergarten AND o.state IN ('declined', 'missed'));

-- name: MoveRegistration :execrows
UPDATE preschool_registrations SET state = sqlc.arg(state) WHERE id = sqlc.arg(id) AND state = sqlc.arg(was);

-- name: LeaveQueue :exec
UPDATE preschool_choices SET queued = FALSE WHERE registration_id = $1;

-- name: RequeueRegistration :exec
UPDATE preschool_registrations SET queued_at = $2 WHERE id = $1;

-- name: RequeueChoices :exec
UPDATE preschool_choices SET queued_at = $2 WHERE registration_id = $1;

-- name: SetBenefit :exec
UPDATE preschool_registrations SET benefit = $2, benefit_rank = $3 WHERE id = $1;

-- name: SetChoicesBenefit :exec
UPDATE preschool_choices SET benefit_rank = $2 WHERE registration_id = $1;

-- name: ReportSeats :exec
INSERT INTO preschool_seats (kindergarten, intake, age, seats, taken) VALUES ($1, $2, $3, $4, 0)
ON CONFLICT (kindergarten, intake, age) DO UPDATE SET seats = excluded.seats;

-- name: TakeSeat :execrows
UPDATE preschool_seats SET taken = taken + 1
WHERE kindergarten = $1 AND intake = $2 AND age = $3 AND taken < seats;

-- name: GiveSeatBack :exec
UPDATE preschool_seats SET taken = taken - 1
WHERE kindergarten = $1 AND intake = $2 AND age = $3 AND taken > 0;

-- name: AddOffer :exec
INSERT INTO preschool_offers (id, registration_id, number, kindergarten, name_ky, name_ru, intake, age, state, actor,
    offered_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, $11);

-- name: LastOffer :one
SELECT * FROM preschool_offers WHERE registration_id = $1 ORDER BY offered_at DESC, id DESC LIMIT 1;

-- name: CloseOffer :execrows
UPDATE preschool_offers SET state = sqlc.arg(state), answered_at = sqlc.arg(answered_at), answered_by = sqlc.arg(answered_by)
WHERE id = sqlc.arg(id) AND state = 'open';

-- name: AnsweredFrom :many
-- The answers that a citizen gave from a phone and that hold still: nothing came after them.
SELECT o.* FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id
WHERE r.citizen_id = $1 AND o.answered_by = $2 AND o.shut_out_at IS NULL AND r.state IN ('waiting', 'placed')
    AND NOT EXISTS (SELECT 1 FROM preschool_offers later WHERE later.registration_id = o.registration_id AND later.offered_at > o.offered_at)
ORDER BY o.answered_at, o.id;

-- name: ShutOutAnswers :many
SELECT o.* FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id
WHERE o.shut_out_at > $1 AND r.state IN ('waiting', 'placed')
    AND NOT EXISTS (SELECT 1 FROM preschool_offers later WHERE later.registration_id = o.registration_id AND later.offered_at > o.offered_at)
ORDER BY o.shut_out_at DESC, o.id LIMIT 1000;

-- name: LockRegistration :one
UPDATE preschool_registrations SET state = state WHERE id = $1 RETURNING *;

-- name: ShutOut :execrows
UPDATE preschool_offers SET shut_out_at = $1 WHERE id = $2 AND shut_out_at IS NULL;

-- name: OffersOfCitizen :many
SELECT o.* FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id
WHERE r.citizen_id = $1 AND o.state = 'open' AND o.expires_at > $2 ORDER BY o.offered_at;

-- name: OfPhone :many
SELECT * FROM preschool_registrations WHERE phone_index = $1 ORDER BY registered_at;

-- name: ActiveOfCitizen :many
SELECT * FROM preschool_registrations WHERE citizen_id = $1 AND state IN ('waiting', 'offered') ORDER BY registered_at, number;

-- name: UnclaimedOfChild :many
SELECT * FROM preschool_registrations WHERE child_index = $1 AND citizen_id = '';

-- name: UnclaimedOfPhone :one
SELECT COUNT(*) FROM preschool_registrations WHERE phone_index = $1 AND citizen_id = '';

-- name: Claim :execrows
UPDATE preschool_registrations SET citizen_id = $1 WHERE id = $2 AND citizen_id = '';

-- name: SetPhone :exec
UPDATE preschool_registrations SET phone_index = $1, phone = $2, locale = $3, moved_from = $4 WHERE id = $5;

-- name: MissedOffers :many
SELECT * FROM preschool_offers WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT 500;

-- name: NumbersOfCitizen :many
SELECT number, child_index FROM preschool_registrations WHERE citizen_id = $1 ORDER BY registered_at DESC, number LIMIT 100;

-- name: OfCitizen :many
SELECT * FROM preschool_registrations WHERE citizen_id = $1 ORDER BY registered_at DESC, number LIMIT $2;

-- name: OffersOfPerson :many
SELECT o.* FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id
WHERE r.citizen_id = $1 ORDER BY o.offered_at DESC, o.id LIMIT $2;

-- name: EraseRegistration :exec
UPDATE preschool_registrations SET child_index = '', child = $1, citizen_id = '', phone_index = '', phone = $2, moved_from = ''
WHERE id = $3;

-- name: TakenSeats :one
SELECT taken FROM preschool_seats WHERE kindergarten = $1 AND intake = $2 AND age = $3;

-- name: Asking :many
-- Who waits for a group of a kindergarten, and how often they let a place there go.
SELECT c.choice, r.id, r.number, r.child_index, r.benefit_rank, r.queued_at,
    (SELECT count(*) FROM preschool_offers o WHERE o.registration_id = r.id AND o.kindergarten = c.kindergarten
        AND o.state IN ('declined', 'missed')) AS refused
FROM preschool_choices c JOIN preschool_registrations r ON r.id = c.registration_id AND r.state = 'waiting'
WHERE c.kindergarten = $1 AND c.cohort = $2 AND c.queued = TRUE
    AND NOT EXISTS (SELECT 1 FROM preschool_registrations p WHERE p.child_index = r.child_index AND p.state = 'placed');

-- name: AddRun :execrows
INSERT INTO preschool_runs (id, n, state, commitment, seed_sealed, committed_at) VALUES ($1, $2, 'next', $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: LastRun :one
SELECT * FROM preschool_runs ORDER BY n DESC LIMIT 1;

-- name: Run :one
SELECT * FROM preschool_runs WHERE n = $1;

-- name: OfferingRun :one
SELECT * FROM preschool_runs WHERE state = 'offering' ORDER BY n LIMIT 1;

-- name: DecideRun :execrows
UPDATE preschool_runs SET state = 'offering', seed = $1, intake = $2, open_every = $3, shown_seats = $4, shown_waiting = $5, actor = $6, decided_at = $7
WHERE n = $8 AND state = 'next';

-- name: CountRun :exec
UPDATE preschool_runs SET seats = $1, waiting = $2, placed = $3, replay = $4 WHERE n = $5;

-- name: JudgeRun :execrows
UPDATE preschool_runs SET verdict = $1 WHERE n = $2 AND state = 'offering' AND verdict = '';

-- name: EndRun :execrows
UPDATE preschool_runs SET state = $1, ended_at = $2 WHERE n = $3 AND state = 'offering';

-- name: RunGroups :many
SELECT * FROM preschool_run_groups WHERE run = $1 ORDER BY place;

-- name: RunChildren :many
SELECT * FROM preschool_run_children WHERE run = $1 ORDER BY child;

-- name: RunWaits :many
SELECT * FROM preschool_run_children WHERE run = $1 AND outcome = 'waits' AND child > $2 ORDER BY child LIMIT 100;

-- name: NoteFailing :exec
UPDATE preschool_run_children SET failing_since_at = $1 WHERE run = $2 AND child = $3 AND outcome = 'waits' AND failing_since_at IS NULL;

-- name: RunFailing :many
-- The offers that could not be made: given up, or tried again still.
SELECT number, outcome, failing_since_at FROM preschool_run_children
WHERE run = $1 AND outcome IN ('waits', 'failed') AND failing_since_at IS NOT NULL ORDER BY child LIMIT 100;

-- name: SettleRunChild :execrows
UPDATE preschool_run_children SET outcome = $1, offer_id = $2 WHERE run = $3 AND child = $4 AND outcome = 'waits';

-- name: RunOutcomes :many
SELECT outcome, count(*) AS n FROM preschool_run_children WHERE run = $1 GROUP BY outcome ORDER BY outcome;

-- name: Runs :many
SELECT * FROM preschool_runs ORDER BY n;

-- name: ReplayRuns :many
SELECT * FROM preschool_runs WHERE state IN ('done', 'wrong') AND replay <> '' ORDER BY n DESC LIMIT 100;

-- name: RunChildIndices :many
SELECT r.id, r.child_index FROM preschool_run_children c JOIN preschool_registrations r ON r.id = c.registration_id WHERE c.run = $1;

-- name: LastRunOf :one
SELECT c.run, c.wishes, c.place, r.decided_at FROM preschool_run_children c JOIN preschool_runs r ON r.n = c.run AND r.state = 'done'
WHERE c.registration_id = $1 ORDER BY c.run DESC LIMIT 1;

-- name: GivenPlaces :one
-- How many places of a group were offered.
SELECT g.kindergarten, count(o.child) AS places FROM preschool_run_groups g
LEFT JOIN preschool_run_children o ON o.run = g.run AND o.place = g.place AND o.outcome = 'offered'
WHERE g.run = $1 AND g.place = $2 GROUP BY g.kindergarten;
