package payment

import (
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/payment/db"
)

// history is what happened to a payment, as bits.
type history uint8

const (
	wasAccepted history = 1 << iota
	wasDoubted
	wasSettled
	wasRefunded
	wasReturned  // what was due back was given back
	wasTakenBack // the partner cancelled it
	wasReversed  // settled, and sent back as the partner asked
	wasCorrected // what was said to be given back was not
)

// said is what the log says of a payment.
type said struct {
	was   history
	actor string // who took its money
	asked bool   // its partner asked for it to go back
	// settled and returned count an operator's decisions of lines in doubt, and
	// decisions are those of them that are said in full.
	settled, returned                           int32
	decisions                                   []audit.Said
	bills, payer, transaction, outcome, request audit.Said
}

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	c.replayed = true
	p := c.done[r.Object]
	switch r.Action {
	case "payment.confirm", "payment.quote", "payment.disown", "payment.refund_refused":
	case "payment.refund_asked":
		p.asked = true
	case "payment.accept":
		if _, known := c.actors[r.Actor]; !known {
			c.actors[r.Actor] = r.Actor
		}
		p.was, p.actor = p.was|wasAccepted, c.actors[r.Actor]
	case "payment.in_doubt":
		p.was |= wasDoubted
	case "payment.settled":
		p.was |= wasSettled
	case "payment.refund_due":
		p.was |= wasRefunded
	case "payment.returned":
		p.was |= wasReturned
	case "payment.not_returned":
		p.was |= wasCorrected
	case "payment.reversed":
		p.was |= wasReversed
	case "payment.taken_back":
		p.was |= wasRefunded | wasReturned | wasTakenBack
	case "payment.doubt_settle":
		p.settled++
	case "payment.doubt_refund":
		p.returned++
	default:
		return
	}
	if !r.Compares() {
		c.older++
		p.outcome = audit.Said{} // what an earlier record said of it holds no longer
	}
	c.hear(r, &p)
	c.done[r.Object] = p
}

// hear keeps what a record says: of each group the last word holds.
func (c *Check) hear(r audit.Recorded, p *said) {
	for group, now := range r.Says() {
		switch group {
		case groupBills:
			c.unchanged(r, group, p.bills, now)
			p.bills = now
		case groupPayer:
			c.unchanged(r, group, p.payer, now)
			p.payer = now
		case groupTransaction:
			p.transaction = now
		case groupOutcome:
			p.outcome = now
		case groupRequest:
			p.request = now
		case groupDecision:
			p.decisions = append(p.decisions, now)
		}
	}
}

// unchanged compares what was taken with what the citizen had confirmed.
func (c *Check) unchanged(r audit.Recorded, group string, confirmed, now audit.Said) {
	if r.Action == "payment.accept" && confirmed.Known() && !now.Same(confirmed) {
		c.say("the %s of the payment %s changed between the audit records %s and %s", group, r.Object, confirmed.Record(), r.ID)
	}
}

// witnessed compares who took the money, and what came to be in doubt, with the log.
func (c *Check) witnessed(f *file, log said) {
	for _, t := range f.txns {
		if account := partnerAccount(t.PartnerID); account != log.actor {
			c.say("the payment %s was taken by %s, the audit log says %q", f.row.ID, account, log.actor)
		}
	}
	var doubted int
	var settled, returned int32
	for _, l := range f.lines {
		if l.DoubtedAt.IsZero() {
			continue
		}
		doubted++
		switch {
		case State(l.State) == Settled, Outcome(l.Reason) == OutcomeReversed:
			settled++
		case State(l.State) == RefundDue:
			returned++
		}
	}
	if log.was&wasDoubted != 0 && doubted == 0 {
		c.say("no line of the payment %s was in doubt, the audit log says that it was", f.row.ID)
	}
	if settled != log.settled || returned != log.returned {
		c.say("of the lines in doubt of the payment %s, %d were settled and %d returned, the audit log says %d and %d",
			f.row.ID, settled, returned, log.settled, log.returned)
	}
}

// digests compares the rows of a payment with the digests that the log has of them.
func (c *Check) digests(f *file, log said) {
	ordered(f.lines, f.entries)
	fits := func(s audit.Said, g *audit.Group) {
		if !c.log.Fits(s, f.row.ID, g) {
			c.say("the payment %s is not in its %s what the audit record %s says", f.row.ID, g.Name(), s.Record())
		}
	}
	if log.bills.Known() {
		fits(log.bills, billsOf(f.row, f.lines))
	}
	if log.payer.Known() {
		fits(log.payer, payerOf(f.row.Owner, f.row.PhoneSealed))
	}
	if log.transaction.Known() && len(f.txns) == 1 {
		fits(log.transaction, transactionOf(f.row, f.txns[0]))
	}
	if log.outcome.Known() {
		fits(log.outcome, outcomeOf(f.row, f.lines, f.entries))
	}
	for _, d := range log.decisions {
		decided := func(l db.PaymentLine) bool { return c.log.Fits(d, f.row.ID, decisionOf(l)) }
		if !slices.ContainsFunc(f.lines, decided) {
			c.say("no line of the payment %s ended by the %s of the audit record %s", f.row.ID, groupDecision, d.Record())
		}
	}
}

// recorded is what the log must say of a payment as it stands, doubts aside.
func (f *file) recorded() []history {
	if f.reversed() {
		return []history{wasAccepted | wasSettled | wasReversed}
	}
	switch State(f.row.State) {
	case Accepted, InDoubt:
		return []history{wasAccepted}
	case Settled:
		return []history{wasAccepted | wasSettled}
	case RefundDue:
		return []history{wasAccepted | wasRefunded}
	default:
		return []history{0}
	}
}
