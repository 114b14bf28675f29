package payment

import (
	"context"
	"database/sql"
	"slices"

	"github.com/eshik-kg/eshik/platform/payment/db"
)

func (p *page) requests(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT payment_id, partner_id, reason, state, refusal, asked_at, decided_at FROM payment_refund_requests "+
		"WHERE payment_id > $1 AND payment_id <= $2", stretch,
		func(rows *sql.Rows) error {
			var r db.PaymentRefundRequest
			if err := rows.Scan(&r.PaymentID, &r.PartnerID, &r.Reason, &r.State, &r.Refusal, &r.AskedAt, &r.DecidedAt); err != nil {
				return err
			}
			if f := p.files[r.PaymentID]; f != nil {
				f.request = &r
			}
			return nil
		})
}

// reversed reports that the payment was settled and its money sent back.
func (f *file) reversed() bool {
	return slices.ContainsFunc(f.lines, func(l db.PaymentLine) bool { return Outcome(l.Reason) == OutcomeReversed })
}

// requested compares what a partner asked for with the log, and with what became of the payment.
func (c *Check) requested(f *file, log said) {
	id := f.row.ID
	approved := f.request != nil && RequestState(f.request.State) == RefundApproved
	if approved != f.reversed() {
		c.say("the payment %s was sent back: %t, by the request for it %t", id, f.reversed(), approved)
	}
	switch {
	case !c.replayed:
	case f.request == nil && log.asked:
		c.say("the request for the refund of the payment %s is gone: the audit log has it", id)
	case f.request != nil && !log.asked:
		c.say("the audit log knows nothing of a request for the refund of the payment %s", id)
	case f.request != nil && log.request.Known() && !c.log.Fits(log.request, id, requestOf(*f.request)):
		c.say("the payment %s is not in its %s what the audit record %s says", id, groupRequest, log.request.Record())
	}
}
