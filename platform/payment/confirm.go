package payment

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Confirm says that the citizen wants to pay, and sends the code by SMS (not to
// a caller on SMS, who reads it in the answer). Confirming twice is confirming
// once. Problems: payment_absent, payment_expired, and of bills that were paid, or are
// being paid, since they were priced those of Open, with the places of Payment.Lines.
func (s *Service) Confirm(ctx context.Context, c caller.Caller, id string) (Payment, error) {
	p, err := s.Get(ctx, c, id)
	if err != nil || p.State != Quoted {
		return p, err
	}
	if !c.Now.Before(p.ExpiresAt) {
		return Payment{}, errExpired
	}
	refs := make([]string, len(p.Lines))
	for i, l := range p.Lines {
		refs[i] = l.Ref
	}
	if err := s.free(ctx, c, p.Service, refs); err != nil {
		return Payment{}, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error { return s.confirm(ctx, tx, c, id) })
	if err != nil {
		return Payment{}, fmt.Errorf("confirm a payment: %w", err)
	}
	return s.Get(ctx, c, id)
}

// confirm keeps the citizen's word, and what it was given for.
func (s *Service) confirm(ctx context.Context, tx *store.Tx, c caller.Caller, id string) error {
	q := db.New(tx)
	n, err := q.ConfirmPayment(ctx, db.ConfirmPaymentParams{
		ID: id, ConfirmedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(CodeLife)),
	})
	if err != nil || n == 0 {
		return err
	}
	row, err := q.GetPayment(ctx, id)
	if err != nil {
		return err
	}
	lines, err := q.ListLines(ctx, id)
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: "phone:" + row.Owner, Action: "payment.confirm", Object: id, Subject: row.Owner, Purpose: "payment",
			Decided: []*audit.Group{billsOf(row, lines), payerOf(row.Owner, row.PhoneSealed)},
		},
		Event:    analytics.Of(c, row.Service, "payment.confirm", "done"),
		Messages: s.codeFor(c, row),
	})
}

// codeFor puts the code into the caller's hand for after the conversation.
func (s *Service) codeFor(c caller.Caller, row db.Payment) []notify.Message {
	if c.ByText() {
		return nil
	}
	text := gsm.Pick(s.Texts.Message(c.Locale, "payment.code_sms", "code", row.Code, "amount", money.Amount(row.Amount).String()))
	return []notify.Message{{
		To: c.Phone, Text: text, Purpose: notify.Answer, Locale: c.Locale,
		ExpiresAt: row.ExpiresAt.Time, Dedup: topic(row) + ":code", Topic: topic(row), Turn: c.Key,
	}}
}
