package payment_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestPaymentsAreDrawn holds docs/payments.md to the table.
func TestPaymentsAreDrawn(t *testing.T) {
	t.Parallel()
	kept, err := os.ReadFile("../../docs/payments.md")
	if err != nil || string(kept) != payment.Drawn() {
		t.Errorf("docs/payments.md is not what the table is (%v): run `make flows`", err)
	}
}

var (
	statement = regexp.MustCompile(`(?s)-- name: (\w+) :\w+\n(.*?;)\n`)
	changes   = regexp.MustCompile(`(?s)^(?:--[^\n]*\n)*UPDATE (payments|payment_lines) SET state = (\S+?),? `)
	where     = regexp.MustCompile(`(?s)WHERE .*?\bstate (?:= ('\w+'|sqlc\.arg\(was\))|IN \(([^)]*)\))`)
)

// TestStatementsAreTheTables: each statement that changes a state is in the table, and
// changes it there only whence the table says.
func TestStatementsAreTheTables(t *testing.T) {
	t.Parallel()
	queries, err := os.ReadFile("queries.sql")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]payment.Transition{}
	for _, row := range payment.Transitions() {
		if row.Statement != "" { // several rows of one statement lead from the same states
			row.To = append(row.To, table[row.Statement].To...)
			table[row.Statement] = row
		}
	}
	found := 0
	for _, s := range statement.FindAllStringSubmatch(string(queries), -1) {
		set := changes.FindStringSubmatch(s[2])
		if set == nil {
			continue
		}
		found++
		row, known := table[s[1]]
		if !known || row.Line != (set[1] == "payment_lines") {
			t.Errorf("%s is not in the table", s[1])
			continue
		}
		if to := strings.Trim(set[2], "'"); strings.HasPrefix(set[2], "'") && !slices.Equal(row.To, []payment.State{payment.State(to)}) {
			t.Errorf("%s leads to %s, by the table to %v", s[1], to, row.To)
		}
		from := where.FindStringSubmatch(s[2])
		if from == nil {
			t.Errorf("%s changes what stands anywhere", s[1])
			continue
		}
		if strings.HasPrefix(from[1], "sqlc") { // TestEveryEventInEveryState sees whence
			continue
		}
		var states []payment.State
		for _, quoted := range strings.Split(from[1]+from[2], ",") {
			states = append(states, payment.State(strings.Trim(quoted, " '")))
		}
		if !slices.Equal(states, row.From) {
			t.Errorf("%s leads from %v, by the table from %v", s[1], states, row.From)
		}
	}
	if found != len(table) {
		t.Errorf("%d statements change a state, the table names %d", found, len(table))
	}
}

// states are those of a payment.
var states = []payment.State{
	payment.Quoted, payment.Awaiting, payment.Accepted, payment.InDoubt, payment.Settled, payment.RefundDue, payment.Refunded, payment.Refused, payment.Cancelled,
}

// life sees where payments and their lines stand, and what became of them.
type life struct {
	*world
	t     *testing.T
	seen  map[string]bool // "payment accepted settled"
	turns int
}

// standing is where a payment stands, and each of its lines.
func (l *life) standing(id string) (all []string) {
	l.t.Helper()
	var state string
	testworld.OK(l.t, l.DB.Reader().QueryRow("SELECT state FROM payments WHERE id = $1", id).Scan(&state))
	rows, err := l.DB.Reader().Query(`SELECT state, (SELECT COUNT(*) FROM ledger_entries e WHERE e.payment_id = l.payment_id AND e.line = l.n
		AND e.kind IN ('returned', 'not_returned', 'returned_again')) % 2 = 1 FROM payment_lines l WHERE payment_id = $1 ORDER BY n`, id)
	testworld.OK(l.t, err)
	defer func() { _ = rows.Close() }()
	due := false
	for rows.Next() {
		var line string
		var returned bool
		testworld.OK(l.t, rows.Scan(&line, &returned))
		if returned {
			line = string(payment.Refunded)
		}
		due = due || line == string(payment.RefundDue)
		all = append(all, line)
	}
	testworld.OK(l.t, rows.Err())
	if state == string(payment.RefundDue) && !due {
		state = string(payment.Refunded)
	}
	return append([]string{state}, all...)
}

// after lets something happen to a payment, and fails where it goes a way that the table does
// not have: several at once are ways that follow each other.
func (l *life) after(id, what string, do func()) {
	l.t.Helper()
	before := l.standing(id)
	do()
	now := l.standing(id)
	for i := range now {
		if before[i] == now[i] {
			continue
		}
		steps := path(i > 0, payment.State(before[i]), payment.State(now[i]))
		if steps == nil {
			l.t.Errorf("%s: from %v to %v", what, before, now)
		}
		for _, step := range steps {
			l.seen[step] = true
		}
	}
}

// path is the steps of the table from one state to another, two at most; nil: there are none.
func path(line bool, from, to payment.State) []string {
	leads := func(from, to payment.State) bool {
		return slices.ContainsFunc(payment.Transitions(), func(row payment.Transition) bool {
			return row.Line == line && slices.Contains(row.From, from) && slices.Contains(row.To, to)
		})
	}
	if leads(from, to) {
		return []string{step(line, from, to)}
	}
	for _, between := range states {
		if leads(from, between) && leads(between, to) {
			return []string{step(line, from, between), step(line, between, to)}
		}
	}
	return nil
}

func step(line bool, from, to payment.State) string {
	if line {
		return fmt.Sprintf("a line, %s to %s", from, to)
	}
	return fmt.Sprintf("a payment, %s to %s", from, to)
}

var officers = staff.Act{Actor: "officer", Reason: "12-3/45"}

// events are all that can be asked for of a payment, as late or as early as may be.
func (l *life) events() map[string]func(p payment.Payment) {
	ctx := context.Background()
	refused := func(error) {} // what is refused is seen by what became of the payment
	return map[string]func(p payment.Payment){
		"confirm": func(p payment.Payment) { _, err := l.Confirm(ctx, l.Caller(aigul, l.turn()), p.ID); refused(err) },
		"pay": func(p payment.Payment) {
			_, err := l.Accept(ctx, ownWallet, l.turn(), l.code(p), p.Amount, l.Clock.Now())
			testworld.OK(l.t, err)
		},
		"settle":       func(p payment.Payment) { refused(l.Settle(ctx, p.ID)) },
		"take back":    func(p payment.Payment) { _, err := l.TakeBack(ctx, ownWallet, l.paidBy(p)); refused(err) },
		"cancel":       func(p payment.Payment) { _, err := l.CancelQuote(ctx, wallet, l.code(p), l.Clock.Now()); refused(err) },
		"decide ours":  func(p payment.Payment) { refused(l.Decide(ctx, officers, p.ID, 0, true, "12-3/45")) },
		"decide other": func(p payment.Payment) { refused(l.Decide(ctx, officers, p.ID, 0, false, "12-3/45")) },
		"give back":    func(p payment.Payment) { _, err := l.Returned(ctx, officers, p.ID, "12-3/45"); refused(err) },
		"dispute":      func(p payment.Payment) { _, err := l.NotReturned(ctx, officers, p.ID, "12-3/45"); refused(err) },
		"ask back": func(p payment.Payment) {
			_, err := l.AskRefund(ctx, ownWallet, l.paidBy(p), payment.ByMistake)
			refused(err)
		},
		"send back": func(p payment.Payment) {
			_, err := l.AskRefund(ctx, ownWallet, l.paidBy(p), payment.ByMistake)
			refused(err)
			_, err = l.Reverse(ctx, officers, p.ID, "12-3/45")
			refused(err)
		},
		"refuse back": func(p payment.Payment) { refused(l.RefuseRefund(ctx, officers, p.ID, payment.NotProven)) },
		"gave back":   func(p payment.Payment) { _, err := l.GaveBack(ctx, ownWallet, l.paidBy(p), p.Amount); refused(err) },
		"pay otherwise": func(p payment.Payment) {
			if other, paid := l.payBeside(p); paid {
				refused(l.Settle(ctx, other.ID))
			}
		},
		"pay second": func(p payment.Payment) {
			l.payBeside(p)
			before := l.standing(p.ID)[0]
			_, err := l.Accept(ctx, ownWallet, l.turn(), l.code(p), p.Amount, l.Clock.Now())
			testworld.OK(l.t, err)
			if before == string(payment.Awaiting) && l.standing(p.ID)[0] == string(payment.Refused) {
				l.seen[step(false, payment.Accepted, payment.Refused)] = true // accepted and refused in one transaction
			}
		},
	}
}

// payBeside pays a payment's bill by another code, of which its register is not told yet; false
// where the bill is paid or being paid.
func (l *life) payBeside(p payment.Payment) (other payment.Payment, paid bool) {
	l.t.Helper()
	other, err := l.Open(context.Background(), l.Caller(bakyt, l.turn()), "fine", []string{p.Lines[0].Ref})
	if err != nil {
		return other, false
	}
	other, err = l.Confirm(context.Background(), l.Caller(bakyt, l.turn()), other.ID)
	testworld.OK(l.t, err)
	l.accept(l.t, l.turn(), other)
	return other, true
}

func (l *life) turn() string {
	l.turns++
	return fmt.Sprint("t", l.turns)
}

// code is a payment's; one that was never confirmed has none.
func (l *life) code(p payment.Payment) (code string) {
	l.t.Helper()
	testworld.OK(l.t, l.DB.Reader().QueryRow("SELECT code FROM payments WHERE id = $1", p.ID).Scan(&code))
	return code
}

// paidBy is the transaction that paid it; another where none did.
func (l *life) paidBy(p payment.Payment) string {
	var txn string
	if l.DB.Reader().QueryRow("SELECT txn_id FROM payment_txns WHERE payment_id = $1 AND decision = 'approved'", p.ID).Scan(&txn) != nil {
		return l.turn()
	}
	return txn
}

// reach makes a payment that stands in a state.
func (l *life) reach(state payment.State) payment.Payment {
	l.t.Helper()
	events, ref := l.events(), l.turn()
	if state == payment.Cancelled {
		q := l.quote(l.t, wallet, ref, ref)
		l.after(q.ID, "cancel", func() { events["cancel"](q.Payment) })
		return q.Payment
	}
	l.register.price[ref] = 150_000
	p, err := l.Open(context.Background(), l.Caller(aigul, l.turn()), "fine", []string{ref})
	testworld.OK(l.t, err)
	switch state {
	case payment.InDoubt:
		l.register.refuse[ref] = payment.OutcomeDoubt
	case payment.RefundDue, payment.Refunded:
		l.register.refuse[ref] = payment.OutcomeChanged
	}
	for _, what := range map[payment.State][]string{
		payment.Awaiting: {"confirm"}, payment.Accepted: {"confirm", "pay"}, payment.Refused: {"confirm", "pay otherwise"},
		payment.InDoubt: {"confirm", "pay", "settle"}, payment.Settled: {"confirm", "pay", "settle"}, payment.RefundDue: {"confirm", "pay", "settle"},
		payment.Refunded: {"confirm", "pay", "settle", "give back"},
	}[state] {
		l.after(p.ID, what, func() { events[what](p) })
	}
	return p
}

// TestEveryEventInEveryState: whatever is asked for, wherever a payment stands, it goes a way of
// the table or none; where the table leads no further it stays; and the table has no way that
// is not gone. The ledger holds throughout.
func TestEveryEventInEveryState(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := &life{world: newWorld(t, db), t: t, seen: map[string]bool{}}
		on := map[payment.State]bool{} // whence the table leads on
		want := map[string]bool{}
		for _, row := range payment.Transitions() {
			for _, from := range row.From {
				on[from] = on[from] || !row.Line
				for _, to := range row.To {
					want[step(row.Line, from, to)] = true
				}
			}
		}
		for _, state := range states {
			for what, do := range l.events() {
				p := l.reach(state)
				if got := l.standing(p.ID); got[0] != string(state) {
					t.Fatalf("made a payment that is %v, not %s", got, state)
				}
				l.after(p.ID, fmt.Sprintf("%s, when it is %s", what, state), func() { do(p) })
				if got := l.standing(p.ID); !on[state] && got[0] != string(state) {
					t.Errorf("%s has one that is %s go on to %v", what, state, got)
				}
			}
		}
		for _, way := range slices.Sorted(maps.Keys(want)) {
			if !l.seen[way] {
				t.Errorf("nothing leads a way of the table: %s", way)
			}
		}
		l.whole(t)
	})
}
