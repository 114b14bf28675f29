// Package payment takes a citizen's money for bills exactly once.
//
// A payment is an intent at a quoted price (Open), which the citizen confirms
// (Confirm) and pays by its code in a partner's wallet (Check, Accept). Accepting
// claims every bill, posts to the ledger and enqueues the settlement in one
// transaction; the settlement tells the bill's register and goes on until the
// outcome is certain. Money that the register does not want goes back: it is
// never lost and never taken twice.
package payment

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/money"
)

// State is where a payment, or one of its lines, stands.
type State string

// The states. A line knows quoted, claimed, in_doubt, settled, refund_due and refunded; a
// payment all but claimed. Refunded is kept as refund_due: that the money went back is an
// entry of the ledger.
const (
	Quoted    State = "quoted"     // priced, not confirmed; lapses after QuoteLife
	Awaiting  State = "awaiting"   // confirmed, can be paid by its code until ExpiresAt
	Accepted  State = "accepted"   // money taken, the register is being told
	Claimed   State = "claimed"    // the same, of a line
	InDoubt   State = "in_doubt"   // the register says paid and nothing proves by whom: an operator decides
	Settled   State = "settled"    // the register has recorded it
	RefundDue State = "refund_due" // the register did not want it (or a line of it): money goes back
	Refunded  State = "refunded"   // all that was due back was given back
	Refused   State = "refused"    // a bill of it was paid otherwise first; no money was taken
	Cancelled State = "cancelled"  // by the partner whose quote it was; of a Transaction: by who paid it
)

// How long a price and a code hold. The register is asked again at the wallet's
// check, so that a code that outlives its price is refused, not overpaid.
const (
	QuoteLife = 30 * time.Minute
	CodeLife  = 24 * time.Hour
)

// MaxBills is the most bills that one payment can hold.
const MaxBills = 50

// Payment is a citizen's intent to pay certain bills, and what became of it.
type Payment struct {
	ID      string
	Service string
	// Code is what the citizen pays by; empty until confirmed.
	Code   string
	Amount money.Amount
	State  State
	Lines  []Line
	// ExpiresAt is when the quote, or once confirmed the code, lapses.
	ExpiresAt  time.Time
	OpenedAt   time.Time
	AcceptedAt time.Time // zero: not paid
	FinishedAt time.Time // zero: not settled, refunded or refused
}

// Line is one bill of a payment.
type Line struct {
	Ref    string // the bill's number in its register
	Amount money.Amount
	State  State
	Reason Outcome // why a refund is due; empty otherwise
	turns  int64   // how many of backTurns it has in the ledger
}

// Standing is the state of a line beside its payment's: a line that nobody has
// claimed stands where its payment stands.
func (l Line) Standing(p Payment) State {
	if l.State == Quoted {
		return p.State
	}
	return l.State
}

// Biller is a service that charges: it prices bills and tells their register
// that they were paid.
type Biller interface {
	// Service is the service's name, as in Payment.Service.
	Service() string
	// Admit says whether the caller may have bills paid, by their references as they were
	// given; where they are not told to anybody a *problem.Error says so.
	Admit(ctx context.Context, c caller.Caller, refs []string) error
	// Quote prices one bill now. A bill that cannot be paid is a *problem.Error
	// of code not_found or conflict.
	Quote(ctx context.Context, bill Bill) (Quote, error)
	// Settle tells the register. An error means that the outcome is unknown or
	// that nothing happened: Settle is then called again with Sent set.
	Settle(ctx context.Context, s Settlement) (Outcome, error)
}

// Bill names a bill to its biller.
type Bill struct {
	Ref string
	// PaymentID and Payer (a pseudonym) go to the register with the call, so that
	// its log says why it was asked and for whom.
	PaymentID string
	Payer     string
}

// Quote is a bill's price.
type Quote struct {
	Amount money.Amount
}

// Settlement is a paid bill that its register must hear of.
type Settlement struct {
	Bill
	Amount money.Amount
	// At is the payment date to tell, in whole seconds: the same at every try, so
	// that our own payment can be recognised.
	At time.Time
	// Sent says that an earlier try may have paid at the register. Only then can
	// "already paid" mean ourselves, and it does only where that can be proven.
	Sent bool
	// Sending must be called when nothing but the payment itself stands between us
	// and the register, right before its first byte leaves: it keeps for the next
	// try that the register may have been paid. When it fails, nothing may be sent.
	Sending func(ctx context.Context) error
	// Unsent takes Sending back: call it where the register is known not to have
	// taken the payment up. Nothing happens when an earlier try was sent.
	Unsent func(ctx context.Context) error
}

// Outcome is what became of a settlement.
type Outcome string

// The outcomes. All but OutcomeSettled and OutcomeDoubt make a refund due.
const (
	OutcomeDoubt     Outcome = "in_doubt" // sent once, paid by now, and no proof of whose payment it is
	OutcomeSettled   Outcome = "settled"
	OutcomePaid      Outcome = "already_paid" // by somebody else
	OutcomeCancelled Outcome = "cancelled"    // the bill was cancelled or closed
	OutcomeChanged   Outcome = "changed"      // it costs something else by now
	OutcomeUnknown   Outcome = "unknown_bill" // the register does not know it any more
	// OutcomeTakenBack is of no register: the partner took the payment back before one was told.
	OutcomeTakenBack Outcome = "taken_back"
	// OutcomeReversed is of no register either: it had recorded the payment, and two officers agreed
	// that its money goes back, as its partner had asked.
	OutcomeReversed Outcome = "reversed"
)
