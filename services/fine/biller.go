package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// Biller makes fines payable: it implements payment.Biller over the register.
type Biller struct {
	cashier Cashier
	db      *store.DB
	now     func() time.Time
}

// NewBiller makes the biller of fines.
func NewBiller(cashier Cashier, db *store.DB, now func() time.Time) *Biller {
	return &Biller{cashier, db, now}
}

// Service implements payment.Biller.
func (*Biller) Service() string { return Name }

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

// Settle implements payment.Biller: check, then pay. Every payment is sent right
// after a check that said unpaid, so that "already paid" at the next try leaves
// only a moment in which somebody else could have been faster than we.
func (b *Biller) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	answer, err := b.cashier.Check(ctx, callFor(s.Bill), s.Ref, priceOnly, s.At)
	if err != nil {
		return "", fmt.Errorf("check a fine before paying: %w", err)
	}
	if answer.Code == registry.CodeOK && answer.Cost != s.Amount {
		return payment.OutcomeChanged, nil
	}
	if answer.Code == registry.CodeOK {
		if err := s.Sending(ctx); err != nil {
			return "", err
		}
		answer, err = b.cashier.Pay(ctx, callFor(s.Bill), s.Ref, s.Amount, s.At)
		if err != nil {
			return "", fmt.Errorf("pay a fine: %w", err)
		}
	}
	switch {
	case answer.Code == registry.CodeOK:
		return payment.OutcomeSettled, nil
	case answer.Code == registry.CodeAlreadyPaid && s.Sent:
		return b.whoPaid(ctx, s)
	}
	_, outcome := refused(answer.Code)
	return outcome, nil
}

// whoPaid tells our own earlier payment, whose answer was lost, from somebody
// else's: ours has our sum and our moment. Only a resolution's number can be
// asked for, and by plate nobody tells it. Where an owner never looked, it rests
// on what Sent means: in one try, the register called the fine unpaid and was
// then sent our payment, whose answer was lost. Paid since then is taken for
// ours. A fine whose payment never left us does not come here: its money goes
// back.
func (b *Biller) whoPaid(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	protocol, err := db.New(b.db.Reader()).ProtocolOf(ctx, s.Ref)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.OutcomeSettled, nil
	}
	if err != nil {
		return "", fmt.Errorf("read a resolution's number: %w", err)
	}
	info, found, err := b.cashier.Info(ctx, callFor(s.Bill), protocol)
	if err != nil {
		return "", fmt.Errorf("ask who paid a fine: %w", err)
	}
	if !found || !info.Paid {
		return "", errors.New("the register says paid and unpaid of one fine")
	}
	if info.Sum == s.Amount && info.At.Equal(s.At) {
		return payment.OutcomeSettled, nil
	}
	return payment.OutcomePaid, nil
}

func callFor(b payment.Bill) registry.Call {
	return registry.Call{UserID: pseudonym(b.Payer), Issue: b.PaymentID}
}
