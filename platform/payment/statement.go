package payment

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// closesAfter is how long after midnight a day is closed. An entry carries the moment at which its
// transaction began, and no transaction lasts nearly as long.
const closesAfter = time.Hour

// ErrDayOpen is the answer for the statement of a day that is not closed yet.
var ErrDayOpen = problem.New(problem.Conflict, "problem.payment_day_open")

// Headings of statements. Debits and credits are in tyiyn, moments those of Bishkek. A partner is
// not told bills: their numbers are their owners' to know.
var (
	partnerColumns  = []string{"row", "at", "entry", "kind", "service", "code", "txn_id", "reference", "debit", "credit"}
	treasuryColumns = []string{"row", "at", "entry", "kind", "service", "payment", "bill", "partner", "txn_id", "reference", "debit", "credit"}
)

// wholeAccount is longer than an account's name: an account is compared whole.
const wholeAccount = 1000

// PartnerStatement is what was posted to a partner's account on a closed day in Bishkek, as CSV
// (RFC 4180): its entries in order, the totals of each service and kind, the total. An entry
// belongs to the day on which it was posted, whenever its cause was; as none is changed or added to
// a closed day, the same bytes come whenever it is asked for. Problem: payment_day_open.
func (s *Service) PartnerStatement(ctx context.Context, partner string, day time.Time) ([]byte, error) {
	return s.statement(ctx, partnerAccount(partner), wholeAccount, day, partnerColumns, func(r db.PostedOnRow) []string {
		return []string{r.Service, r.Code, r.TxnID, r.PrvTxn}
	})
}

// ErrNoAccount is the answer for the statement of a partner to which nothing was ever posted.
var ErrNoAccount = problem.New(problem.NotFound, "problem.payment_no_account")

// StatementOf is PartnerStatement for staff, who may mistype the partner's name: of one to which
// nothing was ever posted there is none. Problems: payment_no_account, payment_day_open.
func (s *Service) StatementOf(ctx context.Context, partner string, day time.Time) ([]byte, error) {
	_, err := db.New(s.DB.Reader()).AnyPosting(ctx, partnerAccount(partner))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoAccount
	} else if err != nil {
		return nil, fmt.Errorf("look for a partner's account: %w", err)
	}
	return s.PartnerStatement(ctx, partner, day)
}

// TreasuryStatement is PartnerStatement of the treasury's accounts of all services.
func (s *Service) TreasuryStatement(ctx context.Context, day time.Time) ([]byte, error) {
	all := treasuryAccount("")
	return s.statement(ctx, all, len(all), day, treasuryColumns, func(r db.PostedOnRow) []string {
		return []string{r.Service, r.PaymentID, r.Ref, r.PartnerID, r.TxnID, r.PrvTxn}
	})
}

// statement writes one; about are the cells between an entry's kind and its sum.
func (s *Service) statement(
	ctx context.Context, account string, width int, day time.Time, columns []string, about func(db.PostedOnRow) []string,
) ([]byte, error) {
	first := clock.Midnight(day)
	until := first.AddDate(0, 0, 1)
	if s.Now().Before(until.Add(closesAfter)) {
		return nil, ErrDayOpen
	}
	rows, err := db.New(s.DB.Reader()).PostedOn(ctx, db.PostedOnParams{
		FirstAt: dbtime.From(first), UntilAt: dbtime.From(until), Width: int32(width), Account: account, // #nosec G115 -- a name's length
	})
	if err != nil {
		return nil, fmt.Errorf("read a day's entries: %w", err)
	}
	slices.SortFunc(rows, func(a, b db.PostedOnRow) int { // here, since engines order text differently
		return cmp.Or(a.HappenedAt.Compare(b.HappenedAt.Time), strings.Compare(a.ID, b.ID))
	})
	lines := [][]string{columns}
	totals, whole := map[[2]string]sums{}, sums{}
	for _, r := range rows {
		var one sums
		one.add(r.Amount)
		at := r.HappenedAt.In(clock.Bishkek).Format("2006-01-02T15:04:05.000000-07:00")
		lines = append(lines, slices.Concat([]string{"entry", at, r.ID, r.Kind}, about(r), one.cells()))
		of := totals[[2]string{r.Service, r.Kind}]
		of.add(r.Amount)
		totals[[2]string{r.Service, r.Kind}] = of
		whole.add(r.Amount)
	}
	inOrder := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, of := range slices.SortedFunc(maps.Keys(totals), inOrder) {
		lines = append(lines, total(columns, of[0], of[1], totals[of]))
	}
	lines = append(lines, total(columns, "", "", whole))
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(lines); err != nil {
		return nil, fmt.Errorf("write a statement: %w", err)
	}
	return out.Bytes(), nil
}

// sums are debits and credits, both positive, in tyiyn.
type sums struct{ debit, credit int64 }

func (s *sums) add(amount int64) {
	if amount > 0 {
		s.debit += amount
	} else {
		s.credit -= amount
	}
}

func (s sums) cells() []string {
	return []string{strconv.FormatInt(s.debit, 10), strconv.FormatInt(s.credit, 10)}
}

// total is a row of sums: of a service's entries of a kind, or of all.
func total(columns []string, service, kind string, of sums) []string {
	row := make([]string, len(columns))
	row[0] = "total"
	row[slices.Index(columns, "kind")], row[slices.Index(columns, "service")] = kind, service
	copy(row[len(row)-2:], of.cells())
	return row
}
