package payment

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
)

// Listed is a payment as a partner's registry of a day has it.
type Listed struct {
	Line   int // in the file, from 1
	TxnID  string
	At     time.Time
	Code   string
	Amount money.Amount
}

// Difference is what a partner's registry and our books disagree about.
type Difference string

// The differences.
const (
	MissingHere  Difference = "missing_here"  // the partner has it, and we took nothing
	MissingThere Difference = "missing_there" // we took it, and the registry lacks it
	OtherAmount  Difference = "amount"        // another sum, or another code
	OtherDate    Difference = "date"          // we took it on another day
	Twice        Difference = "duplicate"     // the registry has it twice
)

// Mismatch is one of them.
type Mismatch struct {
	Kind  Difference
	TxnID string
	// Theirs is the registry's line; the zero one where it has none.
	Theirs Listed
	// Ours is our transaction, also one that was declined; the zero one where there is none.
	Ours Transaction
}

// Reconciliation is how a partner's registry of a day and our books compare.
type Reconciliation struct {
	Theirs, Ours, Matched int
	Mismatches            []Mismatch
}

// Reconcile compares a partner's registry of a day in Bishkek with what we took of it. It changes
// nothing, so it can be done again with a corrected one.
func (s *Service) Reconcile(ctx context.Context, partner string, day time.Time, registry []Listed) (Reconciliation, error) {
	ours, err := s.wholeDay(ctx, partner, day)
	if err != nil {
		return Reconciliation{}, err
	}
	r := Reconciliation{Theirs: len(registry), Ours: len(ours)}
	seen := map[string]bool{}
	for _, line := range registry {
		txn, here := ours[line.TxnID]
		m := Mismatch{TxnID: line.TxnID, Theirs: line, Ours: txn}
		switch {
		case seen[line.TxnID]:
			m.Kind = Twice
		case !here:
			if m.Kind, m.Ours, err = s.elsewhere(ctx, partner, line); err != nil {
				return Reconciliation{}, err
			}
		case line.differs(txn):
			m.Kind = OtherAmount
		case !clock.Midnight(line.At).Equal(clock.Midnight(txn.ReceivedAt)):
			m.Kind = OtherDate
		}
		seen[line.TxnID] = true
		if m.Kind == "" {
			r.Matched++
			continue
		}
		r.Mismatches = append(r.Mismatches, m)
	}
	for id, txn := range ours {
		if !seen[id] {
			r.Mismatches = append(r.Mismatches, Mismatch{Kind: MissingThere, TxnID: id, Ours: txn})
		}
	}
	slices.SortFunc(r.Mismatches, func(a, b Mismatch) int {
		if order := strings.Compare(a.TxnID, b.TxnID); order != 0 {
			return order
		}
		return a.Theirs.Line - b.Theirs.Line
	})
	return r, nil
}

// wholeDay is what a partner paid on a day and we took, by its ids.
func (s *Service) wholeDay(ctx context.Context, partner string, day time.Time) (map[string]Transaction, error) {
	all, after := map[string]Transaction{}, Transaction{}
	for {
		page, err := s.Day(ctx, partner, day, Filter{}, after, MostOfDay)
		if err != nil {
			return nil, err
		}
		for _, txn := range page.Page {
			all[txn.ID], after = txn, txn
		}
		if !page.More {
			return all, nil
		}
	}
}

// elsewhere is what became of a transaction that is not of the day.
func (s *Service) elsewhere(ctx context.Context, partner string, line Listed) (Difference, Transaction, error) {
	txn, err := s.Transaction(ctx, partner, line.TxnID)
	switch {
	case errors.Is(err, errTransaction):
		return MissingHere, Transaction{}, nil
	case err != nil:
		return "", Transaction{}, err
	case txn.Decision != Approved:
		return MissingHere, txn, nil
	case line.differs(txn):
		return OtherAmount, txn, nil
	}
	return OtherDate, txn, nil
}

// differs says that the registry has another sum than we, or another code.
func (l Listed) differs(txn Transaction) bool {
	return txn.Amount != l.Amount || l.Code != "" && txn.Code != l.Code
}
