-- name: InsertPayment :execrows
INSERT INTO payments (id, code, service, owner, phone_sealed, open_key, locale, channel, operator, amount, state, opened_at, expires_at, partner_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'quoted', $11, $12, $13)
ON CONFLICT DO NOTHING;

-- name: InsertLine :exec
INSERT INTO payment_lines (payment_id, n, ref, amount, state, reason, sent)
VALUES ($1, $2, $3, $4, 'quoted', '', FALSE);

-- name: GetPayment :one
SELECT * FROM payments WHERE id = $1;

-- name: ListOpenPayments :many
SELECT * FROM payments
WHERE owner = sqlc.arg(owner) AND service = sqlc.arg(service) AND opened_at >= sqlc.arg(first_at) AND state IN ('quoted', 'awaiting')
ORDER BY opened_at DESC
LIMIT 50;

-- name: PaymentsOfOwner :many
SELECT id FROM payments WHERE owner = $1;

-- name: Disown :exec
UPDATE payments SET owner = $2, phone_sealed = $3 WHERE id = $1;

-- name: GetPaymentByCode :one
SELECT * FROM payments WHERE code = $1;

-- name: GetPaymentByOpenKey :one
SELECT * FROM payments WHERE open_key = $1;

-- name: ListLines :many
SELECT * FROM payment_lines WHERE payment_id = $1 ORDER BY n;

-- name: ConfirmPayment :execrows
UPDATE payments SET state = 'awaiting', confirmed_at = $2, expires_at = $3
WHERE id = $1 AND state = 'quoted';

-- name: AcceptPayment :one
UPDATE payments SET state = 'accepted', accepted_at = $2, try_at = $3
WHERE id = $1 AND state = 'awaiting'
RETURNING *;

-- name: RefusePayment :exec
UPDATE payments SET state = 'refused', finished_at = $2, try_at = NULL, waits_for = $3
WHERE id = $1 AND state = 'accepted';

-- name: ClaimHolder :one
-- The payment that holds a bill, and how its line stands.
SELECT l.payment_id, l.state FROM payment_claims c JOIN payment_lines l ON l.payment_id = c.payment_id AND l.ref = c.ref
WHERE c.service = $1 AND c.ref = $2;

-- name: CountTold :one
-- What the phone has that gets a message when the payment ends.
SELECT COUNT(*) FROM payments
WHERE owner = sqlc.arg(owner) AND (id = sqlc.arg(payment_id) OR waits_for = sqlc.arg(payment_id));

-- name: HoldPayment :exec
-- Has whoever ends this payment wait for the end of the transaction.
UPDATE payments SET tries = tries WHERE id = $1;

-- name: WaitingFor :many
SELECT * FROM payments WHERE waits_for = $1 AND waits_for <> '' ORDER BY id;

-- name: WaitNoMore :execrows
UPDATE payments SET waits_for = '' WHERE id = $1 AND waits_for <> '';

-- name: ClaimBill :execrows
INSERT INTO payment_claims (service, ref, payment_id) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING;

-- name: CountClaims :one
SELECT COUNT(*) FROM payment_claims WHERE service = $1 AND ref = $2;

-- name: ReleaseClaims :exec
DELETE FROM payment_claims WHERE payment_id = $1;

-- name: ReleaseClaim :exec
DELETE FROM payment_claims WHERE service = $1 AND ref = $2 AND payment_id = $3;

-- name: ClaimLines :exec
UPDATE payment_lines SET state = 'claimed' WHERE payment_id = $1 AND state = 'quoted';

-- name: BeginTry :execrows
UPDATE payments SET trying = TRUE, tries = tries + 1, try_at = sqlc.arg(until), worked_at = sqlc.arg(now)
WHERE id = sqlc.arg(id) AND state = 'accepted' AND (trying = FALSE OR try_at IS NULL OR try_at <= sqlc.arg(now));

-- name: EndTry :exec
UPDATE payments SET trying = FALSE, try_at = sqlc.arg(try_at)
WHERE id = sqlc.arg(id) AND state = 'accepted' AND tries = sqlc.arg(tries);

-- name: DuePayments :many
SELECT id FROM payments WHERE state = 'accepted' AND try_at <= sqlc.arg(now)
ORDER BY try_at LIMIT sqlc.arg(up_to);

-- name: AwakenPayments :execrows
UPDATE payments SET try_at = sqlc.arg(now)
WHERE state = 'accepted' AND service = sqlc.arg(service) AND trying = FALSE AND try_at > sqlc.arg(now);

-- name: LastTried :one
SELECT worked_at FROM payments WHERE state = 'accepted' AND service = $1 AND worked_at IS NOT NULL
ORDER BY worked_at DESC LIMIT 1;

-- name: LongestUntried :one
SELECT id FROM payments WHERE state = 'accepted' AND service = $1 AND worked_at IS NOT NULL AND trying = FALSE
ORDER BY worked_at LIMIT 1;

-- name: OldestAccepted :one
SELECT id, accepted_at, tries FROM payments WHERE state = 'accepted' ORDER BY accepted_at LIMIT 1;

-- name: CountAccepted :one
SELECT COUNT(*) FROM payments WHERE state = 'accepted';

-- name: OldestSuspended :one
SELECT id, accepted_at FROM payments WHERE state = 'in_doubt' ORDER BY accepted_at LIMIT 1;

-- name: CountSuspended :one
SELECT COUNT(*) FROM payments WHERE state = 'in_doubt';

-- name: ListSuspended :many
SELECT p.id, p.service, p.code, p.accepted_at, l.n, l.ref, l.amount, l.doubted_at
FROM payments p JOIN payment_lines l ON l.payment_id = p.id
WHERE l.state = 'in_doubt'
ORDER BY l.doubted_at LIMIT $1;

-- name: ListRefunds :many
-- What goes back and has not gone, line by line: each of its entries turns the one before around.
SELECT p.id, p.service, p.accepted_at, p.finished_at, l.n, l.ref, l.amount, l.reason, t.partner_id, t.txn_id, c.happened_at AS corrected_at
FROM payments p JOIN payment_lines l ON l.payment_id = p.id JOIN payment_txns t ON t.payment_id = p.id AND t.decision = 'approved'
    LEFT JOIN ledger_entries c ON c.payment_id = p.id AND c.line = l.n AND c.kind = 'not_returned'
WHERE p.state IN ('refund_due', 'in_doubt') AND l.state = 'refund_due' AND (
    SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = p.id AND e.line = l.n AND e.kind IN ('returned', 'not_returned', 'returned_again')) % 2 = 0
ORDER BY COALESCE(c.happened_at, p.finished_at, p.accepted_at), p.id, l.n LIMIT $1;

-- name: RefundsOf :many
SELECT p.service, l.n, l.amount, t.partner_id
FROM payments p JOIN payment_lines l ON l.payment_id = p.id JOIN payment_txns t ON t.payment_id = p.id AND t.decision = 'approved'
WHERE p.id = $1 AND l.state = 'refund_due' AND (
    SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = p.id AND e.line = l.n AND e.kind IN ('returned', 'not_returned', 'returned_again')) % 2 = 0
ORDER BY l.n;

-- name: CountRefunds :one
SELECT COUNT(*) FROM payments p WHERE p.state IN ('refund_due', 'in_doubt') AND EXISTS (
    SELECT 1 FROM payment_lines l WHERE l.payment_id = p.id AND l.state = 'refund_due' AND (
        SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = p.id AND e.line = l.n AND e.kind IN ('returned', 'not_returned', 'returned_again')) % 2 = 0);

-- name: OldestRefund :one
SELECT p.accepted_at, p.finished_at, c.happened_at AS corrected_at
FROM payments p JOIN payment_lines l ON l.payment_id = p.id
    LEFT JOIN ledger_entries c ON c.payment_id = p.id AND c.line = l.n AND c.kind = 'not_returned'
WHERE p.state IN ('refund_due', 'in_doubt') AND l.state = 'refund_due' AND (
    SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = p.id AND e.line = l.n AND e.kind IN ('returned', 'not_returned', 'returned_again')) % 2 = 0
ORDER BY COALESCE(c.happened_at, p.finished_at, p.accepted_at), p.id LIMIT 1;

-- name: ReversePayment :execrows
UPDATE payments SET state = 'refund_due', finished_at = $2
WHERE id = $1 AND state = 'settled';

-- name: ReverseLines :execrows
UPDATE payment_lines SET state = 'refund_due', reason = $2
WHERE payment_id = $1 AND state = 'settled';

-- name: HoldSettled :execrows
-- Has whoever else changes this payment wait for the end of the transaction.
UPDATE payments SET tries = tries WHERE id = $1 AND state = 'settled';

-- name: AskRefund :execrows
INSERT INTO payment_refund_requests (payment_id, partner_id, reason, state, refusal, asked_at)
VALUES ($1, $2, $3, 'asked', '', $4)
ON CONFLICT DO NOTHING;

-- name: RefundRequest :one
SELECT * FROM payment_refund_requests WHERE payment_id = $1;

-- name: RefuseRefund :execrows
UPDATE payment_refund_requests SET state = 'refused', refusal = $2, decided_at = $3
WHERE payment_id = $1 AND state = 'asked';

-- name: ApproveRefund :execrows
UPDATE payment_refund_requests SET state = 'approved', refusal = '', decided_at = sqlc.arg(decided_at)
WHERE payment_id = sqlc.arg(payment_id) AND state = sqlc.arg(was) AND state IN ('asked', 'refused');

-- name: AskedRefunds :many
SELECT sqlc.embed(r), p.service, p.amount, t.txn_id
FROM payment_refund_requests r JOIN payments p ON p.id = r.payment_id JOIN payment_txns t ON t.payment_id = p.id AND t.decision = 'approved'
WHERE r.state = 'asked' ORDER BY r.asked_at LIMIT $1;

-- name: OldestAskedRefund :one
SELECT asked_at FROM payment_refund_requests WHERE state = 'asked' ORDER BY asked_at LIMIT 1;

-- name: CountAskedRefunds :one
SELECT COUNT(*) FROM payment_refund_requests WHERE state = 'asked';

-- name: LockRefund :execrows
UPDATE payments SET worked_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND state IN ('refund_due', 'in_doubt');

-- name: ReturnedOnce :many
SELECT p.service, l.n, l.amount, t.partner_id
FROM payments p JOIN payment_lines l ON l.payment_id = p.id JOIN payment_txns t ON t.payment_id = p.id AND t.decision = 'approved'
WHERE p.id = sqlc.arg(id) AND l.state = 'refund_due' AND l.reason <> sqlc.arg(taken_back) AND (
    SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = p.id AND e.line = l.n AND e.kind IN ('returned', 'not_returned', 'returned_again')) = 1
ORDER BY l.n;

-- name: TurnsBack :many
-- How often what is due back of each line was said to be given back, or not to be after all.
SELECT line, COUNT(*) AS turns FROM ledger_entries WHERE payment_id = $1 AND kind IN ('returned', 'not_returned', 'returned_again') GROUP BY line;

-- name: MarkSent :execrows
UPDATE payment_lines SET sent = TRUE WHERE payment_id = $1 AND n = $2 AND state = 'claimed';

-- name: MarkUnsent :exec
UPDATE payment_lines SET sent = FALSE WHERE payment_id = $1 AND n = $2 AND state = 'claimed';

-- name: FinishLine :execrows
UPDATE payment_lines SET state = sqlc.arg(state), reason = sqlc.arg(reason)
WHERE payment_id = sqlc.arg(payment_id) AND n = sqlc.arg(n) AND state = sqlc.arg(was);

-- name: TakeBackLines :execrows
UPDATE payment_lines SET state = 'refund_due', reason = $2
WHERE payment_id = $1 AND state = 'claimed' AND sent = FALSE;

-- name: SuspendLine :execrows
UPDATE payment_lines SET state = 'in_doubt', doubted_at = $3
WHERE payment_id = $1 AND n = $2 AND state = 'claimed';

-- name: LockTry :execrows
UPDATE payments SET worked_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND state = 'accepted' AND tries = sqlc.arg(tries);

-- name: LockSuspended :execrows
UPDATE payments SET worked_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND state IN ('accepted', 'in_doubt');

-- name: FinishPayment :execrows
UPDATE payments SET state = $2, finished_at = $3, try_at = NULL, trying = FALSE
WHERE id = $1 AND state IN ('accepted', 'in_doubt');

-- name: SuspendPayment :execrows
UPDATE payments SET state = 'in_doubt', try_at = NULL, trying = FALSE
WHERE id = $1 AND state = 'accepted';

-- name: InsertTxn :execrows
INSERT INTO payment_txns (partner_id, txn_id, prv_txn, account, amount, paid_at, received_at, payment_id, decision)
VALUES ($1, $2, $3, $4, $5, $6, $7, '', 'not_now')
ON CONFLICT (partner_id, txn_id) DO NOTHING;

-- name: DecideTxn :exec
UPDATE payment_txns SET payment_id = $3, decision = $4
WHERE partner_id = $1 AND txn_id = $2;

-- name: GetTxn :one
SELECT sqlc.embed(t), EXISTS (SELECT 1 FROM payment_lines l WHERE l.payment_id = t.payment_id AND l.reason = 'taken_back') AS taken_back
FROM payment_txns t WHERE t.partner_id = $1 AND t.txn_id = $2;

-- name: InsertEntry :exec
INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ($1, $2, $3, $4, $5);

-- name: EntriesOf :many
SELECT kind, line, happened_at FROM ledger_entries WHERE payment_id = $1 ORDER BY line, kind;

-- name: FirstEntry :one
SELECT happened_at FROM ledger_entries ORDER BY happened_at LIMIT 1;

-- name: FirstTransfer :one
SELECT happened_at FROM ledger_transfers ORDER BY happened_at LIMIT 1;

-- name: LastDay :one
SELECT * FROM ledger_days ORDER BY until_at DESC LIMIT 1;

-- name: ClosedDay :one
SELECT * FROM ledger_days WHERE day = $1;

-- name: InsertDay :execrows
-- Nothing where another process closed the day meanwhile.
INSERT INTO ledger_days (day, until_at, entries, treasury, previous, digest, closed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING;

-- name: InsertDayAccount :exec
INSERT INTO ledger_day_accounts (account, day, opening, debit, credit, closing, entries, statement) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: InsertDayKind :exec
INSERT INTO ledger_day_kinds (account, day, kind, debit, credit, entries) VALUES ($1, $2, $3, $4, $5, $6);

-- name: DayAccounts :many
SELECT * FROM ledger_day_accounts WHERE day = $1;

-- name: DayKinds :many
SELECT * FROM ledger_day_kinds WHERE day = $1;

-- name: InsertTransfer :execrows
-- Nothing where another one of its kind has the reference.
INSERT INTO ledger_transfers (id, kind, partner_id, source, destination, amount, reference, happened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING;

-- name: Transfers :many
SELECT * FROM ledger_transfers WHERE partner_id = $1 AND reference = $2;

-- name: AnyPosting :one
SELECT entry_id FROM ledger_postings WHERE account = $1 LIMIT 1;

-- name: InsertPosting :exec
INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ($1, $2, $3, $4);

-- name: PaymentsOf :many
-- Ids are UUIDs of version 7, so that they lie in order of time. A quote that was
-- never confirmed and has lapsed is nothing to list.
SELECT * FROM payments
WHERE owner = sqlc.arg(owner) AND id < sqlc.arg(before) AND (state <> 'quoted' OR expires_at > sqlc.arg(now_at))
ORDER BY id DESC LIMIT sqlc.arg(rows);

-- name: PayableWithBill :many
SELECT p.* FROM payments p JOIN payment_lines l ON l.payment_id = p.id
WHERE l.ref = sqlc.arg(ref) AND l.state = 'quoted' AND p.service = sqlc.arg(service) AND p.id <> sqlc.arg(payment_id)
    AND p.state = 'awaiting' AND p.expires_at > sqlc.arg(now)
ORDER BY p.id;

-- name: OvertakenCodes :many
SELECT p.* FROM payments p
WHERE p.state = 'awaiting' AND p.expires_at > sqlc.arg(now) AND EXISTS (
    SELECT 1 FROM payment_lines l
    JOIN payment_claims c ON c.service = p.service AND c.ref = l.ref
    JOIN payment_lines paid ON paid.payment_id = c.payment_id AND paid.ref = c.ref AND paid.state = 'settled'
    WHERE l.payment_id = p.id)
ORDER BY p.id LIMIT sqlc.arg(up_to);

-- name: CloseCode :execrows
UPDATE payments SET state = 'refused', finished_at = $2 WHERE id = $1 AND state = 'awaiting';

-- name: QuotesOf :many
-- A partner's own, the newest first: ids lie in order of time.
SELECT * FROM payments
WHERE partner_id = sqlc.arg(partner_id) AND partner_id <> '' AND id < sqlc.arg(before)
ORDER BY id DESC LIMIT sqlc.arg(rows);

-- name: CancelQuote :execrows
UPDATE payments SET state = 'cancelled', finished_at = sqlc.arg(finished_at)
WHERE id = sqlc.arg(id) AND partner_id = sqlc.arg(partner_id) AND state = 'awaiting';

-- name: PaidBy :one
-- The transaction that took a payment's money.
SELECT * FROM payment_txns WHERE payment_id = $1 AND decision = 'approved';

-- name: DayOf :many
-- What a partner paid in a span of time and we took.
SELECT sqlc.embed(t), sqlc.embed(p) FROM payment_txns t JOIN payments p ON p.id = t.payment_id
WHERE t.partner_id = sqlc.arg(partner_id) AND t.decision = 'approved'
    AND t.received_at >= sqlc.arg(after_at) AND t.received_at < sqlc.arg(until_at)
    AND (t.received_at > sqlc.arg(after_at) OR t.txn_id > sqlc.arg(after_txn))
ORDER BY t.received_at, t.txn_id LIMIT sqlc.arg(rows);

-- name: DayTotal :one
-- No row where nothing was paid.
SELECT COUNT(*) AS count, SUM(amount) AS amount FROM payment_txns
WHERE partner_id = sqlc.arg(partner_id) AND decision = 'approved'
    AND received_at >= sqlc.arg(first_at) AND received_at < sqlc.arg(until_at)
GROUP BY partner_id;
