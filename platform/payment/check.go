package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Check compares the ledger with the payments, and the payments with the audit
// log: every entry is computed anew from its payment, and what the log has digests
// of is what the rows say (see decided.go). It reads page by page along the keys, so
// that its time grows as the ledger does.
type Check struct {
	log *audit.Log
	// done is what the log says of each payment; a payment that was looked at is
	// taken out.
	done map[string]said
	// actors are the names of who took money, each kept once.
	actors map[string]string
	// replayed is false where the log is not compared.
	replayed bool
	// evented is since when a partner's payment that is over must have its events.
	evented time.Time
	older   int
	found   []error
	more    int
}

// NewCheck makes a Check against a log, nil for none. Give it the log's records by See
// before Run.
func NewCheck(log *audit.Log) *Check {
	return &Check{log: log, done: map[string]said{}, actors: map[string]string{}}
}

// Older is how many of the records seen are from before what they decided was kept.
func (c *Check) Older() int { return c.older }

// checkPage is how many payments one page holds, and reportAtMost how many
// differences are named.
const (
	checkPage    = 1000
	reportAtMost = 100
)

// Run checks everything within a snapshot and returns an error that names each
// difference. progress hears from time to time how many payments were looked at.
func (c *Check) Run(ctx context.Context, tx *sql.Tx, progress func(payments int)) error {
	looked, after := 0, ""
	if err := c.eventsSince(ctx, tx); err != nil {
		return err
	}
	for {
		p := page{c: c, tx: tx}
		n, err := p.read(ctx, after)
		if err != nil {
			return fmt.Errorf("check the payments: %w", err)
		}
		for _, f := range p.files {
			c.judge(f)
		}
		if n == 0 {
			break
		}
		after = p.last
		looked += n
		progress(looked)
	}
	for _, o := range orphans {
		if err := c.orphan(ctx, tx, o); err != nil {
			return err
		}
	}
	for id, p := range c.done {
		if p.was&wasAccepted != 0 {
			c.say("the payment %s is gone: the audit log says that its money was taken", id)
		}
	}
	if c.more > 0 {
		c.found = append(c.found, fmt.Errorf("and %d more", c.more))
	}
	return errors.Join(c.found...)
}

func (c *Check) say(format string, args ...any) {
	if len(c.found) >= reportAtMost {
		c.more++
		return
	}
	c.found = append(c.found, fmt.Errorf(format, args...))
}

// orphans are rows that hang on nothing, each with its name.
var orphans = [][2]string{
	{"the ledger entry %s belongs to no payment",
		"SELECT e.id FROM ledger_entries e LEFT JOIN payments p ON p.id = e.payment_id WHERE p.id IS NULL"},
	{"the posting of the entry %s belongs to no entry",
		"SELECT p.entry_id FROM ledger_postings p LEFT JOIN ledger_entries e ON e.id = p.entry_id WHERE e.id IS NULL"},
	{"a line of the payment %s belongs to no payment",
		"SELECT l.payment_id FROM payment_lines l LEFT JOIN payments p ON p.id = l.payment_id WHERE p.id IS NULL"},
	{"the accepted transaction %s belongs to no payment",
		"SELECT t.prv_txn FROM payment_txns t LEFT JOIN payments p ON p.id = t.payment_id WHERE t.decision = 'approved' AND p.id IS NULL"},
	{"a bill of the payment %s is taken and not claimed: it can be paid again",
		"SELECT l.payment_id FROM payment_lines l JOIN payments p ON p.id = l.payment_id " +
			"LEFT JOIN payment_claims c ON c.service = p.service AND c.ref = l.ref AND c.payment_id = p.id " +
			"WHERE l.state IN ('claimed', 'in_doubt', 'settled') AND c.ref IS NULL"},
	{"a bill is claimed for the payment %s, which did not take it: it can be paid by nobody",
		"SELECT c.payment_id FROM payment_claims c LEFT JOIN payments p ON p.id = c.payment_id AND p.service = c.service " +
			"LEFT JOIN payment_lines l ON l.payment_id = p.id AND l.ref = c.ref AND l.state IN ('claimed', 'in_doubt', 'settled') " +
			"WHERE l.payment_id IS NULL"},
}

func (c *Check) orphan(ctx context.Context, tx *sql.Tx, o [2]string) error {
	return each(ctx, tx, o[1], nil, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		c.say(o[0], id)
		return nil
	})
}

// each runs a query and gives every row to use.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, use func(*sql.Rows) error) error {
	if err := store.Rows(ctx, tx, query, args, use); err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	return nil
}

// file is all that is kept of one payment.
type file struct {
	row      db.Payment
	lines    []db.PaymentLine
	txns     []db.PaymentTxn // the accepted ones
	entries  []db.EntriesOfRow
	postings map[posting]int64
	events   []noted
	request  *db.PaymentRefundRequest // nil: no partner asked for it to go back
}

// moment is when an entry was posted, by the payment's other rows; zero where they do
// not say.
func (f *file) moment(e db.EntriesOfRow) (at dbtime.Time) {
	switch e.Kind {
	case entryAccept:
		for _, t := range f.txns {
			at = t.ReceivedAt
		}
	case entryDoubt:
		for _, l := range f.lines {
			if l.N == e.Line {
				at = l.DoubtedAt
			}
		}
	}
	return at
}

// taken is the sum of the accepted transactions.
func (f *file) taken() (sum int64) {
	for _, t := range f.txns {
		sum += t.Amount
	}
	return sum
}

// posting is one account's part of an entry.
type posting struct {
	kind    string
	line    int64
	account string
}

// judge compares a payment with what follows from it.
func (c *Check) judge(f *file) {
	id, at := f.row.ID, State(f.row.State)
	log := c.done[id]
	delete(c.done, id)
	paid := slices.Contains([]State{Accepted, InDoubt, Settled, RefundDue}, at)
	var sum int64
	for _, l := range f.lines {
		sum += l.Amount
	}
	switch {
	case sum != f.row.Amount:
		c.say("the payment %s is %d tyiyn, its lines are %d", id, f.row.Amount, sum)
	case paid && (len(f.txns) != 1 || f.taken() != f.row.Amount):
		c.say("the payment %s is %s at %d tyiyn, and %d transactions took %d", id, at, f.row.Amount, len(f.txns), f.taken())
	case !paid && len(f.txns) > 0:
		c.say("the payment %s is %s, and a transaction took its money", id, at)
	}
	if state := f.follows(); paid && state != at || !paid && state != Quoted {
		c.say("the payment %s is %s, by its lines it is %s", id, at, state)
	}
	if want := f.recorded(); c.replayed && !slices.Contains(want, log.was&^(wasDoubted|wasReturned|wasTakenBack|wasCorrected)) || c.replayed && at == InDoubt && log.was&wasDoubted == 0 {
		c.say("the payment %s is %s, which the audit log does not say", id, at)
	}
	if gone := f.turned(entryReturned); c.replayed && gone != (log.was&wasReturned != 0) {
		c.say("what was due back of the payment %s was given back: %t, by the audit log %t", id, gone, !gone)
	}
	if not := f.turned(entryNotReturned); c.replayed && not != (log.was&wasCorrected != 0) {
		c.say("that the money of the payment %s was not given back was noted: %t, by the audit log %t", id, not, !not)
	}
	if c.replayed && f.takenBack() != (log.was&wasTakenBack != 0) {
		c.say("the payment %s was taken back by its partner: %t, by the audit log %t", id, f.takenBack(), !f.takenBack())
	}
	if c.replayed && paid {
		c.witnessed(f, log)
	}
	if c.replayed {
		c.digests(f, log)
	}
	c.compare(f, paid)
	c.requested(f, log)
	c.told(f)
}

// follows is the state that a payment has by its lines.
func (f *file) follows() State {
	state := Settled
	for _, l := range f.lines {
		switch now := State(l.State); {
		case now == Quoted:
			return Quoted
		case now == Claimed:
			state = Accepted
		case now == InDoubt && state != Accepted:
			state = InDoubt
		case now == RefundDue && state == Settled:
			state = RefundDue
		}
	}
	return state
}

// turned reports that the ledger has an entry of a kind.
func (f *file) turned(kind string) bool {
	return slices.ContainsFunc(f.entries, func(e db.EntriesOfRow) bool { return e.Kind == kind })
}

// turns are the kinds of entries by which the money of a line that goes back went, came back and went
// again, as far as the ledger has them in that order.
func (f *file) turns(line int64) []string {
	for n, kind := range backTurns {
		if !slices.ContainsFunc(f.entries, func(e db.EntriesOfRow) bool { return e.Kind == kind && e.Line == line }) {
			return backTurns[:n]
		}
	}
	return backTurns
}

// takenBack reports that its partner cancelled the payment.
func (f *file) takenBack() bool {
	return slices.ContainsFunc(f.lines, func(l db.PaymentLine) bool { return Outcome(l.Reason) == OutcomeTakenBack })
}

// moveBack is what follows from a line's turns: to the partner, and from there again.
func (f *file) moveBack(l db.PaymentLine, move func(kind string, line, amount int64, source, destination string)) {
	source, destination := refundsAccount(f.row.Service), partnerAccount(f.txns[0].PartnerID)
	for _, kind := range f.turns(l.N) {
		move(kind, l.N, l.Amount, source, destination)
		source, destination = destination, source
	}
}

// compare names each entry that is not what follows from its payment.
func (c *Check) compare(f *file, paid bool) {
	want := map[posting]int64{}
	move := func(kind string, line, amount int64, source, destination string) {
		want[posting{kind, line, source}] += amount
		want[posting{kind, line, destination}] -= amount
	}
	clearing, suspense := clearingAccount(f.row.Service), suspenseAccount(f.row.Service)
	if paid && len(f.txns) == 1 {
		move(entryAccept, wholePayment, f.row.Amount, partnerAccount(f.txns[0].PartnerID), clearing)
	}
	for _, l := range f.lines {
		settle, refund, source := entrySettle, entryRefund, clearing
		if !l.DoubtedAt.IsZero() {
			move(entryDoubt, l.N, l.Amount, clearing, suspense)
			settle, refund, source = entryDoubtSettle, entryDoubtRefund, suspense
		}
		switch reversed := Outcome(l.Reason) == OutcomeReversed; {
		case reversed:
			move(settle, l.N, l.Amount, source, treasuryAccount(f.row.Service))
			refund, source = entryReverse, treasuryAccount(f.row.Service)
			fallthrough
		case State(l.State) == RefundDue:
			move(refund, l.N, l.Amount, source, refundsAccount(f.row.Service))
			if len(f.txns) == 1 {
				f.moveBack(l, move)
			}
		case State(l.State) == Settled:
			move(settle, l.N, l.Amount, source, treasuryAccount(f.row.Service))
		}
	}
	var wrong []string
	for p, amount := range f.postings {
		if want[p] != amount {
			wrong = append(wrong, fmt.Sprintf("%s of line %d posts %d to %s, not %d", p.kind, p.line, amount, p.account, want[p]))
		}
		delete(want, p)
	}
	for p, amount := range want {
		wrong = append(wrong, fmt.Sprintf("%s of line %d does not post %d to %s", p.kind, p.line, amount, p.account))
	}
	for _, e := range f.entries {
		if at := f.moment(e); !at.IsZero() && !at.Equal(e.HappenedAt.Time) {
			wrong = append(wrong, fmt.Sprintf("%s of line %d is of %s, not %s", e.Kind, e.Line, e.HappenedAt, at))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		c.say("the ledger entries of the payment %s: %s", f.row.ID, strings.Join(wrong, "; "))
	}
}
