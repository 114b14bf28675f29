package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Transaction is a partner's payment of a code, and how it stands.
type Transaction struct {
	ID        string // the partner's
	Reference string // ours
	Code      string
	Amount    money.Amount
	Decision  Decision
	// Service, State and Refund are of what was taken: whose bills, how the payment
	// stands, and what of it goes back.
	Service string
	State   State
	Refund  money.Amount
	// PaidAt is the partner's date, ReceivedAt when the transaction came in first.
	PaidAt, ReceivedAt time.Time
	FinishedAt         time.Time // zero: not settled or refunded yet
	// Request is that the partner asked for it to go back; zero: it did not, or a day's payments
	// are listed.
	Request RefundRequest
}

var errTransaction = problem.New(problem.NotFound, "problem.partner_payment_absent")

// Transaction gives a partner's own; another's is absent. Problem: partner_payment_absent.
func (s *Service) Transaction(ctx context.Context, partner, id string) (Transaction, error) {
	q := db.New(s.DB.Reader())
	found, err := q.GetTxn(ctx, db.GetTxnParams{PartnerID: partner, TxnID: id})
	txn := found.PaymentTxn
	if errors.Is(err, sql.ErrNoRows) {
		return Transaction{}, errTransaction
	}
	if err != nil {
		return Transaction{}, fmt.Errorf("find a partner's transaction: %w", err)
	}
	if Decision(txn.Decision) != Approved {
		return told(ctx, q, txn, db.Payment{})
	}
	row, err := q.GetPayment(ctx, txn.PaymentID)
	if err != nil {
		return Transaction{}, fmt.Errorf("find a transaction's payment: %w", err)
	}
	t, err := told(ctx, q, txn, row)
	if err != nil {
		return Transaction{}, err
	}
	request, err := q.RefundRequest(ctx, row.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Transaction{}, fmt.Errorf("find a transaction's request: %w", err)
	}
	t.Request = requestAs(request)
	return t, nil
}

// Day is what a partner paid on a day in Bishkek.
type Day struct {
	Count  int64
	Amount money.Amount
	// Page is a part of it, the oldest first.
	Page []Transaction
	More bool // there is more after it
}

// MostOfDay is the most transactions of a page.
const MostOfDay = 1000

// Filter says which payments of a day are listed; the zero one: all of them.
type Filter struct {
	Service string
	State   State // accepted (also what is in doubt), settled, refund_due, refunded or cancelled
}

func (f Filter) lets(t Transaction) bool {
	state := t.State
	if state == InDoubt { // which is ours to clear: the partner sees that it is taken
		state = Accepted
	}
	return (f.Service == "" || f.Service == t.Service) && (f.State == "" || f.State == state)
}

// Day lists what a partner paid and we took on the day of a moment: at most rows (1 to
// MostOfDay) that came in after the transaction after, which needs its ReceivedAt and ID;
// the zero one for the first page. What is counted is the whole day, also where a filter lists less.
func (s *Service) Day(ctx context.Context, partner string, day time.Time, filter Filter, after Transaction, rows int) (Day, error) {
	q := db.New(s.DB.Reader())
	first := clock.Midnight(day)
	from, until := dbtime.From(first), dbtime.From(first.AddDate(0, 0, 1))
	total, err := q.DayTotal(ctx, db.DayTotalParams{PartnerID: partner, FirstAt: from, UntilAt: until})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Day{}, fmt.Errorf("count a partner's day: %w", err)
	}
	list := Day{Count: total.Count, Amount: money.Amount(total.Amount), More: true}
	asked := db.DayOfParams{PartnerID: partner, AfterAt: from, UntilAt: until, AfterTxn: after.ID}
	if after.ReceivedAt.After(first) {
		asked.AfterAt = dbtime.From(after.ReceivedAt)
	}
	rows = max(1, min(rows, MostOfDay))
	for list.More && len(list.Page) < rows {
		if err := list.read(ctx, q, &asked, filter, rows); err != nil {
			return Day{}, err
		}
	}
	return list, nil
}

// read adds what a filter lets through of the next rows, and has asked go on after the last that it
// looked at. More says whether there are others.
func (d *Day) read(ctx context.Context, q *db.Queries, asked *db.DayOfParams, filter Filter, rows int) error {
	asked.Rows = int32(rows) + 1 // #nosec G115 -- bounded
	found, err := q.DayOf(ctx, *asked)
	if err != nil {
		return fmt.Errorf("list a partner's day: %w", err)
	}
	d.More = len(found) > rows
	for i, row := range found[:min(len(found), rows)] {
		txn, err := told(ctx, q, row.PaymentTxn, row.Payment)
		if err != nil {
			return err
		}
		asked.AfterAt, asked.AfterTxn = row.PaymentTxn.ReceivedAt, row.PaymentTxn.TxnID
		if !filter.lets(txn) {
			continue
		}
		if d.Page = append(d.Page, txn); len(d.Page) == rows {
			d.More = len(found) > i+1
			return nil
		}
	}
	return nil
}

// told is a transaction as its rows are; row is the zero one where nothing was taken.
func told(ctx context.Context, q *db.Queries, txn db.PaymentTxn, row db.Payment) (Transaction, error) {
	t := Transaction{
		ID: txn.TxnID, Reference: txn.PrvTxn, Code: txn.Account, Amount: money.Amount(txn.Amount), Decision: Decision(txn.Decision),
		Service: row.Service, State: State(row.State),
		PaidAt: txn.PaidAt.Time, ReceivedAt: txn.ReceivedAt.Time, FinishedAt: row.FinishedAt.Time,
	}
	if t.State != RefundDue {
		return t, nil
	}
	lines, err := linesOf(ctx, q, row.ID)
	if err != nil {
		return Transaction{}, err
	}
	t.State = standsAt(row, lines)
	for _, l := range lines {
		if l.State == RefundDue || l.State == Refunded {
			t.Refund += l.Amount
		}
		if l.Reason == OutcomeTakenBack { // which is so of all or of none
			t.State = Cancelled
		}
	}
	return t, nil
}
