package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
)

// Check compares the ledger with the payments, and the payments with the audit
// log: every entry is computed anew from its payment. It reads page by page along
// the keys, so that its time grows as the ledger does.
type Check struct {
	// done is what the log says of each payment; a payment that was looked at is
	// taken out.
	done map[string]said
	// actors are the names of who took money, each kept once.
	actors map[string]string
	// replayed is false where the log is not compared.
	replayed bool
	found    []error
	more     int
}

// history is what happened to a payment, as bits.
type history uint8

const (
	wasAccepted history = 1 << iota
	wasDoubted
	wasSettled
	wasRefunded
)

// said is what the log says of a payment.
type said struct {
	was   history
	actor string // who took its money
	// settled and returned count an operator's decisions of lines in doubt.
	settled, returned int32
}

// NewCheck makes a Check. Give it the audit log by See before Run.
func NewCheck() *Check { return &Check{done: map[string]said{}, actors: map[string]string{}} }

// See takes a record of the audit log.
func (c *Check) See(e audit.Entry) {
	c.replayed = true
	p := c.done[e.Object]
	switch e.Action {
	case "payment.accept":
		if _, known := c.actors[e.Actor]; !known {
			c.actors[e.Actor] = e.Actor
		}
		p.was, p.actor = p.was|wasAccepted, c.actors[e.Actor]
	case "payment.in_doubt":
		p.was |= wasDoubted
	case "payment.settled":
		p.was |= wasSettled
	case "payment.refund_due":
		p.was |= wasRefunded
	case "payment.doubt_settle":
		p.settled++
	case "payment.doubt_refund":
		p.returned++
	default:
		return
	}
	c.done[e.Object] = p
}

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
		"SELECT t.prv_txn FROM payment_txns t LEFT JOIN payments p ON p.id = t.payment_id WHERE t.result = 0 AND p.id IS NULL"},
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
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		if err := use(rows); err != nil {
			return fmt.Errorf("check the ledger: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	return nil
}

// file is all that is kept of one payment.
type file struct {
	id, service string
	state       State
	amount      int64
	lines       []fileLine
	partners    []string // of the accepted transactions
	taken       int64    // by them
	entries     map[posting]int64
}

type fileLine struct {
	n, amount int64
	state     State
	doubted   bool
}

// posting is one account's part of an entry.
type posting struct {
	kind    string
	line    int64
	account string
}

// judge compares a payment with what follows from it.
func (c *Check) judge(f *file) {
	log := c.done[f.id]
	was := log.was
	delete(c.done, f.id)
	paid := slices.Contains([]State{Accepted, InDoubt, Settled, RefundDue}, f.state)
	var sum int64
	for _, l := range f.lines {
		sum += l.amount
	}
	switch {
	case sum != f.amount:
		c.say("the payment %s is %d tyiyn, its lines are %d", f.id, f.amount, sum)
	case paid && (len(f.partners) != 1 || f.taken != f.amount):
		c.say("the payment %s is %s at %d tyiyn, and %d transactions took %d", f.id, f.state, f.amount, len(f.partners), f.taken)
	case !paid && len(f.partners) > 0:
		c.say("the payment %s is %s, and a transaction took its money", f.id, f.state)
	}
	if state := f.follows(); paid && state != f.state || !paid && state != Quoted {
		c.say("the payment %s is %s, by its lines it is %s", f.id, f.state, state)
	}
	if want := recorded(f.state); c.replayed && !slices.Contains(want, was&^wasDoubted) || c.replayed && f.state == InDoubt && was&wasDoubted == 0 {
		c.say("the payment %s is %s, which the audit log does not say", f.id, f.state)
	}
	if c.replayed && paid {
		c.witnessed(f, log)
	}
	c.compare(f, paid)
}

// witnessed compares who took the money, and what came to be in doubt, with the log.
func (c *Check) witnessed(f *file, log said) {
	for _, partner := range f.partners {
		if account := partnerAccount(partner); account != log.actor {
			c.say("the payment %s was taken by %s, the audit log says %q", f.id, account, log.actor)
		}
	}
	var doubted int
	var settled, returned int32
	for _, l := range f.lines {
		if !l.doubted {
			continue
		}
		doubted++
		switch l.state {
		case Settled:
			settled++
		case RefundDue:
			returned++
		}
	}
	if log.was&wasDoubted != 0 && doubted == 0 {
		c.say("no line of the payment %s was in doubt, the audit log says that it was", f.id)
	}
	if settled != log.settled || returned != log.returned {
		c.say("of the lines in doubt of the payment %s, %d were settled and %d returned, the audit log says %d and %d",
			f.id, settled, returned, log.settled, log.returned)
	}
}

// recorded is what the log must say of a payment in a state, doubts aside.
func recorded(state State) []history {
	switch state {
	case Accepted, InDoubt:
		return []history{wasAccepted}
	case Settled:
		return []history{wasAccepted | wasSettled}
	case RefundDue:
		return []history{wasAccepted | wasRefunded}
	default:
		return []history{0}
	}
}

// follows is the state that a payment has by its lines.
func (f *file) follows() State {
	state := Settled
	for _, l := range f.lines {
		switch {
		case l.state == Quoted:
			return Quoted
		case l.state == Claimed:
			state = Accepted
		case l.state == InDoubt && state != Accepted:
			state = InDoubt
		case l.state == RefundDue && state == Settled:
			state = RefundDue
		}
	}
	return state
}

// compare names each entry that is not what follows from its payment.
func (c *Check) compare(f *file, paid bool) {
	want := map[posting]int64{}
	move := func(kind string, line, amount int64, source, destination string) {
		want[posting{kind, line, destination}] += amount
		want[posting{kind, line, source}] -= amount
	}
	clearing, suspense := clearingAccount(f.service), suspenseAccount(f.service)
	if paid && len(f.partners) == 1 {
		move(entryAccept, wholePayment, f.amount, clearing, partnerAccount(f.partners[0]))
	}
	for _, l := range f.lines {
		settle, refund, from := entrySettle, entryRefund, clearing
		if l.doubted {
			move(entryDoubt, l.n, l.amount, suspense, clearing)
			settle, refund, from = entryDoubtSettle, entryDoubtRefund, suspense
		}
		switch l.state {
		case Settled:
			move(settle, l.n, l.amount, treasuryAccount(f.service), from)
		case RefundDue:
			move(refund, l.n, l.amount, refundsAccount(f.service), from)
		}
	}
	var wrong []string
	for p, amount := range f.entries {
		if want[p] != amount {
			wrong = append(wrong, fmt.Sprintf("%s of line %d posts %d to %s, not %d", p.kind, p.line, amount, p.account, want[p]))
		}
		delete(want, p)
	}
	for p, amount := range want {
		wrong = append(wrong, fmt.Sprintf("%s of line %d does not post %d to %s", p.kind, p.line, amount, p.account))
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		c.say("the ledger entries of the payment %s: %s", f.id, strings.Join(wrong, "; "))
	}
}
