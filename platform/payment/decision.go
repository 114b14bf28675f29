package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Decision is what a partner's request came to, in words that no protocol has. Each
// interface of partners says it in its protocol's own; what is kept is the word.
type Decision string

// The decisions. NotNow alone asks the partner to try again.
const (
	Approved      Decision = "approved"       // can be paid; of a payment: is taken
	NotNow        Decision = "not_now"        // nobody can say at the moment
	MalformedCode Decision = "malformed_code" // no payment code
	UnknownCode   Decision = "unknown_code"   // no such payment
	NotPayable    Decision = "not_payable"    // lapsed, paid already, or a bill of it is
	SumTooSmall   Decision = "sum_too_small"
	SumTooLarge   Decision = "sum_too_large"
	Reused        Decision = "reused"     // the id of another transaction, with another code or sum
	Malformed     Decision = "malformed"  // not of the partner's protocol
	TakenBack     Decision = "taken_back" // by the partner, before a register was told or the payment came
)

// Partner is who asks: its id, and the services whose bills it may ask about or pay. Codes
// of others are unknown to it. Without any there is nothing that it may do.
type Partner struct {
	ID       string
	Every    bool // all services
	Services []string
}

func (p Partner) serves(service string) bool { return p.Every || slices.Contains(p.Services, service) }

// knows reports whether there is such a payment for the partner: one of a service that it
// takes money for, and no other partner's quote.
func (p Partner) knows(row db.Payment) bool {
	return p.serves(row.Service) && (row.PartnerID == "" || row.PartnerID == p.ID)
}

// Answer is what a partner is told.
type Answer struct {
	Decision Decision
	// Reference is our number of the transaction, up to 18 digits; empty on a check,
	// and where none was kept.
	Reference string
	// Service and Due name what the code pays for and its exact price; empty when
	// no payment was found.
	Service string
	Due     money.Amount
}

// Check tells a partner whether a payment code can be paid with sum now. It asks the
// register once more, so that a stale price is never taken. A sum of 0 asks for the
// price only. What keeps a partner's user from paying is logged with the partner's
// name: it is what its support asks about.
func (s *Service) Check(ctx context.Context, partner Partner, code string, sum money.Amount) (Answer, error) {
	answer, row, err := s.check(ctx, partner, code, sum)
	if err != nil {
		return Answer{}, fmt.Errorf("check a code for %s: %w", partner.ID, err)
	}
	if answer.Decision != Approved {
		s.Log.Info("a code cannot be paid", "partner", partner.ID, "decision", answer.Decision, "payment", row.ID)
	}
	return answer, nil
}

func (s *Service) check(ctx context.Context, partner Partner, code string, sum money.Amount) (Answer, db.Payment, error) {
	if !ValidCode(code) {
		return Answer{Decision: MalformedCode}, db.Payment{}, nil
	}
	row, err := db.New(s.DB.Reader()).GetPaymentByCode(ctx, code)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !partner.knows(row) {
		return Answer{Decision: UnknownCode}, db.Payment{}, nil
	}
	if err != nil {
		return Answer{}, row, fmt.Errorf("find a payment by its code: %w", err)
	}
	a := Answer{Decision: payable(row, sum, s.Now()), Service: row.Service, Due: money.Amount(row.Amount)}
	if sum == 0 && a.Decision == SumTooSmall {
		a.Decision = Approved
	}
	if a.Decision != Approved {
		return a, row, nil
	}
	a.Decision, err = s.requote(ctx, row)
	return a, row, err
}

// requote asks the register whether each bill still costs what was quoted. Where it says that
// one does not, or takes no payment of it, the code is closed: what a check refuses for good no
// payment right after it is taken for.
func (s *Service) requote(ctx context.Context, row db.Payment) (Decision, error) {
	biller, known := s.billers[row.Service]
	if !known {
		return NotNow, fmt.Errorf("no biller for the service %q", row.Service)
	}
	lines, err := db.New(s.DB.Reader()).ListLines(ctx, row.ID)
	if err != nil {
		return NotNow, fmt.Errorf("read a payment's bills: %w", err)
	}
	for _, l := range lines {
		claimed, err := s.Claimed(ctx, row.Service, l.Ref)
		if err != nil {
			return NotNow, err
		}
		if claimed {
			return NotPayable, nil
		}
		q, err := biller.Quote(ctx, Bill{Ref: l.Ref, PaymentID: row.ID, Payer: row.Owner})
		if err != nil && unpriced(err) == NotNow {
			return NotNow, nil
		}
		if err != nil || int64(q.Amount) != l.Amount {
			return NotPayable, s.closeStale(ctx, row)
		}
	}
	return Approved, nil
}

// closeStale closes a code that its register takes no payment for, or not at this price, and
// tells the citizen.
func (s *Service) closeStale(ctx context.Context, row db.Payment) error {
	now := dbtime.From(s.Now())
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).CloseCode(ctx, db.CloseCodeParams{ID: row.ID, FinishedAt: now})
		if err != nil || n == 0 {
			return err
		}
		return s.closedAs(ctx, tx, row, now, "stale", "payment.stale_sms")
	})
	if err != nil {
		return fmt.Errorf("close a code at a price of before: %w", err)
	}
	return nil
}

// unpriced tells a bill that cannot be paid from a register that cannot be
// asked: only the latter is worth another try.
func unpriced(err error) Decision {
	switch problem.From(err).Code {
	case problem.NotFound, problem.Conflict:
		return NotPayable
	default:
		return NotNow
	}
}

// payable judges a payment at a moment without asking anybody.
func payable(row db.Payment, sum money.Amount, now time.Time) Decision {
	switch {
	case State(row.State) == Quoted:
		return UnknownCode // its code was never told to anybody
	case State(row.State) != Awaiting || !now.Before(row.ExpiresAt.Time):
		return NotPayable
	case sum < money.Amount(row.Amount):
		return SumTooSmall
	case sum > money.Amount(row.Amount):
		return SumTooLarge
	}
	return Approved
}
