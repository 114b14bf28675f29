package payment

import (
	"context"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// yearsKept is how long what was paid is kept after the year: primary documents of
// accounting.
const yearsKept = 5

// Personal is what the payments keep for a phone. A payment is a phone's, not a person's:
// who has the phone sees it without saying who they are.
func (s *Service) Personal() personal.Holder { return holder{s} }

type holder struct{ s *Service }

func (h holder) payments(ctx context.Context, tx *store.Tx, p personal.Person) ([]db.Payment, error) {
	rows, err := db.New(tx).PaymentsOf(ctx, db.PaymentsOfParams{
		Owner: h.s.owner(p.Phone), Before: beyond, NowAt: dbtime.From(p.Now), Rows: personal.Most,
	})
	if err != nil {
		return nil, fmt.Errorf("list a phone's payments: %w", err)
	}
	return rows, nil
}

// Export implements personal.Holder.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	rows, err := h.payments(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		lines, err := linesOf(ctx, db.New(tx), row.ID)
		if err != nil {
			return nil, err
		}
		state := string(standsAt(row, lines))
		bills := make([]string, len(lines))
		for i, l := range lines {
			bills[i] = l.Ref
		}
		list = append(list, personal.Record{Kind: "payment", Fields: []personal.Field{
			personal.Text("service", row.Service), personal.Text("code", row.Code), personal.Text("bills", strings.Join(bills, ", ")),
			personal.Text("amount", money.Amount(row.Amount).String()), personal.Word("state", state, "kept.state."+state),
			personal.Moment("opened", row.OpenedAt.Time), personal.Moment("paid", row.AcceptedAt.Time), personal.Moment("finished", row.FinishedAt.Time),
		}})
	}
	return list, nil
}

// Keeps implements personal.Holder.
func (h holder) Keeps(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Kept, error) {
	rows, err := h.payments(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	for _, row := range rows { // the newest first
		if !row.AcceptedAt.IsZero() {
			return []personal.Kept{{Key: "kept.why_payments", Until: row.AcceptedAt.AddDate(yearsKept, 0, 0)}}, nil
		}
	}
	return nil, nil
}

// Erase implements personal.Holder: what was paid is kept, and quotes name nobody.
func (holder) Erase(context.Context, *store.Tx, personal.Person) error { return nil }
