package payment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
)

// ErrDayOpen is the answer for the statement of a day that is not closed yet.
var ErrDayOpen = problem.New(problem.Conflict, "problem.payment_day_open")

// wholeAccount is longer than an account's name: an account is compared whole.
const wholeAccount = 1000

// PartnerStatement is what was posted to a partner's account on a closed day in Bishkek, as CSV
// (RFC 4180): its entries in order, the totals of each service and kind, the total. An entry
// belongs to the day on which it was posted, whenever its cause was; as none is changed or added to
// a closed day, the same bytes come whenever it is asked for, and their digest is the one that
// CloseDays wrote down: others are not given out. Problem: payment_day_open.
func (s *Service) PartnerStatement(ctx context.Context, partner string, day time.Time) ([]byte, error) {
	return s.statement(ctx, partnerAccount(partner), wholeAccount, day, partnerForm)
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
	return s.statement(ctx, all, len(all), day, treasuryForm)
}

// statement writes one.
func (s *Service) statement(ctx context.Context, account string, width int, day time.Time, f form) ([]byte, error) {
	first := clock.Midnight(day)
	var out bytes.Buffer
	err := s.DB.Snapshot(ctx, func(tx *sql.Tx) error {
		if err := closed(ctx, tx, first); err != nil {
			return err
		}
		sheet := newSheet(&out, f)
		err := eachPosted(ctx, tx, first, width, account, func(p posted) error {
			sheet.entry(p)
			return nil
		})
		if err := errors.Join(err, sheet.end()); err != nil {
			return err
		}
		want, err := writtenDigest(ctx, db.New(tx), clock.ISODay(first), account, f)
		if got := sha256.Sum256(out.Bytes()); err == nil && hex.EncodeToString(got[:]) != want {
			err = fmt.Errorf("the ledger says otherwise than when the day %s was closed: see eshik fsck", clock.ISODay(first))
			s.Log.Error("a statement is not given out", "account", account, "error", err)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write a statement: %w", err)
	}
	return out.Bytes(), nil
}

// writtenDigest is that of an account's statement, or of the treasury's, which was written down when the day was
// closed; of an account that had no entry by then, and of a day before the first, the one without entries.
func writtenDigest(ctx context.Context, q *db.Queries, day, account string, f form) (string, error) {
	if account == treasuryAccount("") {
		d, err := q.ClosedDay(ctx, day)
		if errors.Is(err, sql.ErrNoRows) {
			return newDigested(f).digest(), nil
		}
		return d.Treasury, err
	}
	accounts, err := q.DayAccounts(ctx, day)
	if err != nil {
		return "", err
	}
	for _, a := range accounts {
		if a.Account == account {
			return a.Statement, nil
		}
	}
	return newDigested(f).digest(), nil
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
