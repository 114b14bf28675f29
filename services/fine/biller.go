package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// Biller makes fines payable: it implements payment.Biller over the register.
type Biller struct {
	cashier Cashier
	db      *store.DB
	sealer  *seal.Sealer
	now     func() time.Time
}

// NewBiller makes the biller of fines.
func NewBiller(cashier Cashier, db *store.DB, sealer *seal.Sealer, now func() time.Time) *Biller {
	return &Biller{cashier, db, sealer, now}
}

// Service implements payment.Biller.
func (*Biller) Service() string { return Name }

// Admit implements payment.Biller: fines that the caller was shown by a look-up within
// the last hour are paid. Numbers run in sequence: without this they could be counted up
// to learn strangers' fines. Problems: fine_phone, fine_number, fine_gone.
func (b *Biller) Admit(ctx context.Context, c caller.Caller, numbers []string) error {
	if c.Phone == "" {
		return errPhone
	}
	if i := slices.IndexFunc(numbers, func(number string) bool { return !billNumber.MatchString(number) }); i >= 0 {
		return errNumber.Of(i)
	}
	for _, number := range numbers {
		at, err := db.New(b.db.Reader()).LastLookup(ctx, billOf(b.sealer, c, number))
		if errors.Is(err, sql.ErrNoRows) || err == nil && c.Now.Sub(at.Time) > window {
			return errGone
		}
		if err != nil {
			return fmt.Errorf("read the last look-up: %w", err)
		}
	}
	return nil
}

// Quote implements payment.Biller: the price is the register's own. Problems:
// fine_gone, fine_closed, fine_paid, and the registry's.
func (b *Biller) Quote(ctx context.Context, bill payment.Bill) (payment.Quote, error) {
	answer, err := b.cashier.Check(ctx, callFor(bill), bill.Ref, priceOnly, b.now())
	if err != nil {
		return payment.Quote{}, fmt.Errorf("ask for a fine's price: %w", err)
	}
	if answer.Code != registry.CodeOK {
		why, _ := refused(answer.Code)
		return payment.Quote{}, why
	}
	return payment.Quote{Amount: answer.Cost}, nil
}

// Settle implements payment.Biller: check, then pay. A payment is marked as sent
// only when its first byte leaves; until then "already paid" is somebody else's.
func (b *Biller) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	answer, err := b.cashier.Check(ctx, callFor(s.Bill), s.Ref, priceOnly, s.At)
	if err != nil {
		return "", fmt.Errorf("check a fine before paying: %w", err)
	}
	if answer.Code == registry.CodeOK && answer.Cost != s.Amount {
		return payment.OutcomeChanged, nil // and unpaid: ours is not there
	}
	if answer.Code == registry.CodeOK {
		if answer, err = b.pay(ctx, s); err != nil {
			return "", err
		}
	}
	if answer.Code == registry.CodeOK {
		return payment.OutcomeSettled, nil
	}
	_, outcome := refused(answer.Code)
	if s.Sent {
		return b.whoPaid(ctx, s, outcome)
	}
	return outcome, nil
}

// pay sends the payment. Where the register cannot have taken it up, the mark
// goes again: not sent and perhaps sent are different.
func (b *Biller) pay(ctx context.Context, s payment.Settlement) (registry.PayResult, error) {
	call := callFor(s.Bill)
	call.Leaving = s.Sending
	answer, err := b.cashier.Pay(ctx, call, s.Ref, s.Amount, s.At)
	if err != nil {
		err = fmt.Errorf("pay a fine: %w", err)
		if registry.Untouched(err) {
			err = errors.Join(err, s.Unsent(ctx))
		}
	}
	return answer, err
}

// whoPaid decides about a payment that an earlier try sent and whose answer was
// lost, when the register takes no payment any more. It is ours only where the
// register's own record has our sum and our second, and it is not ours where that
// record has others or says unpaid: then the outcome is the register's refusal.
// The register can be asked by a resolution's number alone, which it tells a car's
// owner and nobody by plate; where we were never told it, nothing is proven.
func (b *Biller) whoPaid(ctx context.Context, s payment.Settlement, refusal payment.Outcome) (payment.Outcome, error) {
	protocol, err := db.New(b.db.Reader()).ProtocolOf(ctx, s.Ref)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.OutcomeDoubt, nil
	}
	if err != nil {
		return "", fmt.Errorf("read a resolution's number: %w", err)
	}
	info, found, err := b.cashier.Info(ctx, callFor(s.Bill), protocol)
	switch {
	case err != nil:
		return "", fmt.Errorf("ask who paid a fine: %w", err)
	case !found:
		return payment.OutcomeDoubt, nil
	case info.Paid && info.Sum == s.Amount && info.At.Equal(s.At):
		return payment.OutcomeSettled, nil
	case info.Paid:
		return payment.OutcomePaid, nil
	case refusal == payment.OutcomePaid:
		return "", errors.New("the register says paid and unpaid of one fine")
	}
	return refusal, nil
}

func callFor(b payment.Bill) registry.Call {
	return registry.Call{UserID: pseudonym(b.Payer), Issue: b.PaymentID}
}
