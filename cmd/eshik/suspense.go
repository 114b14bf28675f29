package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
)

// doubtDecision is what an operator answers about one line of a payment.
type doubtDecision struct {
	Payment   string `arg:"" help:"The payment's id, as staff suspense lists it."`
	Line      int64  `arg:"" help:"The line's number, as staff suspense lists it."`
	Settled   bool   `xor:"outcome" required:"" help:"The register's holder confirmed: it is our payment."`
	Refund    bool   `xor:"outcome" required:"" help:"It is not ours: the money goes back to the citizen."`
	Reference string `required:"" help:"What this rests on, for the audit log: the number of a letter or a statement."`
}

// suspense lists the payments whose register says "paid" without proof by whom.
func (s staffCommand) suspense(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		list, err := a.Payments.Suspense(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(list))
		for i, d := range list {
			rows[i] = []string{d.PaymentID, strconv.FormatInt(d.N, 10), d.Service, d.Ref, d.Amount.Decimal(), clock.Second(d.PaidAt), clock.Second(d.Since)}
		}
		return todo{
			none:    "No payment is in doubt.",
			columns: []string{"PAYMENT", "LINE", "SERVICE", "BILL", "SOM", "PAYMENT DATE TOLD", "IN DOUBT SINCE"},
			next: "Ask the register's holder for each bill: is there a payment of this sum with this date?\n" +
				"Then: eshik staff decide PAYMENT LINE --settled (or --refund) --reference NUMBER",
		}.list(out, rows)
	})
}

// decide ends a doubt; the citizen is told.
func (s staffCommand) decide(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	d := s.Decide
	return app.Beside(ctx, config, log, func(a *app.App) error {
		err := a.Payments.Decide(ctx, s.Officer, d.Payment, d.Line, d.Settled, d.Reference)
		if errors.Is(err, payment.ErrNotSuspended) || errors.Is(err, payment.ErrReference) {
			return app.UsageError{Err: err}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "Decided. The citizen is told when no line of the payment is in doubt any more.")
		return err
	})
}

// waiting names what is taken and not done with.
func waiting(w payment.Waiting) string {
	var text string
	if w.Accepted > 0 {
		text += fmt.Sprintf("Payments that wait for their register: %d, the oldest %s since %s.\n",
			w.Accepted, w.OldestAccepted, clock.Second(w.AcceptedSince))
	}
	if w.Suspended > 0 {
		text += fmt.Sprintf("Payments in doubt, for an operator (eshik staff suspense): %d, the oldest %s since %s.\n",
			w.Suspended, w.OldestSuspended, clock.Second(w.SuspendedSince))
	}
	return text
}
