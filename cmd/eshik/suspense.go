package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// doubtDecision is what an operator answers about one line of a payment.
type doubtDecision struct {
	Payment   string `arg:"" help:"The payment's id, as staff suspense lists it."`
	Line      int64  `arg:"" help:"The line's number, as staff suspense lists it."`
	Settled   bool   `xor:"outcome" required:"" help:"The register's holder confirmed: it is our payment."`
	Refund    bool   `xor:"outcome" required:"" help:"It is not ours: the money goes back to the citizen."`
	Reference string `required:"" help:"What this rests on, for the audit log: the number of a letter or a statement."`
}

// given are the decision's arguments.
func (d doubtDecision) given() map[string]string {
	outcome := "refund"
	if d.Settled {
		outcome = "settled"
	}
	return map[string]string{"payment": d.Payment, "line": strconv.FormatInt(d.Line, 10), "outcome": outcome, "reference": d.Reference}
}

// refundReturned is what an operator notes about a payment whose money went back.
type refundReturned struct {
	Payment   string `arg:"" help:"The payment's id, as staff refunds lists it."`
	Reference string `required:"" help:"What this rests on, for the audit log: the number of the partner's statement or letter."`
}

// given are its arguments.
func (r refundReturned) given() map[string]string {
	return map[string]string{"payment": r.Payment, "reference": r.Reference}
}

// refundDisputed is that the money of a payment did not come back after all.
type refundDisputed struct {
	Payment   string `arg:"" help:"The payment's id, as the citizen's complaint or the audit log has it."`
	Reference string `required:"" help:"What this rests on, for the audit log: the number of the complaint or of a bank's letter."`
}

// given are its arguments.
func (r refundDisputed) given() map[string]string {
	return map[string]string{"payment": r.Payment, "reference": r.Reference}
}

// refundApproved is what officers decide of a settled payment that its partner asks to have back.
type refundApproved struct {
	Payment   string `arg:"" help:"The payment's id, as staff refund-requests lists it."`
	Reference string `required:"" help:"What this rests on, for the audit log: the number of the letter in which the register's holder undoes the payment."`
}

// given are its arguments.
func (r refundApproved) given() map[string]string {
	return map[string]string{"payment": r.Payment, "reference": r.Reference}
}

// refundRefused is that such a payment stands.
type refundRefused struct {
	Payment string `arg:"" help:"The payment's id, as staff refund-requests lists it."`
	Why     string `required:"" enum:"register_keeps,not_proven" help:"For the partner: register_keeps (its holder does not undo the payment) or not_proven (nothing shows what the partner says)."`
}

// given are its arguments.
func (r refundRefused) given() map[string]string {
	return map[string]string{"payment": r.Payment, "why": r.Why}
}

// refundRequests lists what partners ask to have back.
func (d desk) refundRequests(ctx context.Context, a *app.App, _ staff.Officer) error {
	list, err := a.Payments.AskedRefunds(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{r.PaymentID, r.Partner, r.TxnID, r.Service, r.Amount.Decimal(), string(r.Reason), clock.Second(r.AskedAt)}
	}
	return todo{
		none:    "No partner asks for a refund.",
		columns: []string{"PAYMENT", "PARTNER", "TRANSACTION", "SERVICE", "SOM", "WHY", "ASKED"},
		next: "Ask the register's holder whether it undoes the payment. Then: eshik staff refund PAYMENT --reference NUMBER\n" +
			"or: eshik staff refuse-refund PAYMENT --why register_keeps (or not_proven)",
	}.list(d.out, rows)
}

// refunds lists what partners have to give back.
func (d desk) refunds(ctx context.Context, a *app.App, _ staff.Officer) error {
	list, err := a.Payments.Refunds(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{r.PaymentID, r.Partner, r.TxnID, r.Service, r.Ref, r.Amount.Decimal(), string(r.Reason), clock.Second(r.Since), overdue(r)}
	}
	return todo{
		none:    "No money is due back.",
		columns: []string{"PAYMENT", "PARTNER", "TRANSACTION", "SERVICE", "BILL", "SOM", "WHY", "DUE SINCE", "LATE"},
		next: "Have each partner give the sum of its transaction back to who paid it. When it says that it did:\n" +
			"eshik staff returned PAYMENT --reference NUMBER",
	}.list(d.out, rows)
}

// overdue marks what its partner should have given back by now.
func overdue(r payment.Refund) string {
	if r.Overdue {
		return "late"
	}
	return ""
}

// suspense lists the payments whose register says "paid" without proof by whom.
func (d desk) suspense(ctx context.Context, a *app.App, _ staff.Officer) error {
	list, err := a.Payments.Suspense(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, one := range list {
		rows[i] = []string{one.PaymentID, strconv.FormatInt(one.N, 10), one.Service, one.Ref, one.Amount.Decimal(), clock.Second(one.PaidAt), clock.Second(one.Since)}
	}
	return todo{
		none:    "No payment is in doubt.",
		columns: []string{"PAYMENT", "LINE", "SERVICE", "BILL", "SOM", "PAYMENT DATE TOLD", "IN DOUBT SINCE"},
		next: "Ask the register's holder for each bill: is there a payment of this sum with this date?\n" +
			"Then: eshik staff decide PAYMENT LINE --settled (or --refund) --reference NUMBER",
	}.list(d.out, rows)
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
