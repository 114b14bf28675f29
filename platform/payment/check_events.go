package payment

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// noted is an event that a partner reads of a payment.
type noted struct {
	partner string
	version int64
	kind    webhook.Kind
	amount  int64
}

// upgrade is how long a version that writes no events may run beside one that does.
const upgrade = time.Hour

// eventsSince finds when the first event was written: payments that ended before, or while
// servers were exchanged, have none.
func (c *Check) eventsSince(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, "SELECT MIN(happened_at) FROM partner_events", nil, func(rows *sql.Rows) error {
		var first dbtime.Time
		err := rows.Scan(&first)
		if c.evented = first.Time; !first.IsZero() {
			c.evented = first.Add(upgrade)
		}
		return err
	})
}

func (p *page) events(ctx context.Context, stretch []any) error {
	return each(ctx, p.tx, "SELECT payment_id, partner_id, version, kind, amount FROM partner_events "+
		"WHERE payment_id > $1 AND payment_id <= $2 ORDER BY payment_id, version", stretch,
		func(rows *sql.Rows) error {
			var id string
			var e noted
			if err := rows.Scan(&id, &e.partner, &e.version, &e.kind, &e.amount); err != nil {
				return err
			}
			if f := p.files[id]; f != nil {
				f.events = append(f.events, e)
			}
			return nil
		})
}

// partner is whose payment it is: whose quote, or who took its money; empty: nobody's yet.
func (f *file) partner() string {
	for _, t := range f.txns {
		return t.PartnerID
	}
	return f.row.PartnerID
}

// ended is when the payment came to stand as it does; zero: it is not over.
func (f *file) ended() (at time.Time) {
	at = f.row.FinishedAt.Time
	if State(f.row.State) != InDoubt {
		return at
	}
	for _, l := range f.lines {
		if l.DoubtedAt.After(at) {
			at = l.DoubtedAt.Time
		}
	}
	return at
}

// lastTold are the events of which one must be the payment's last.
func (f *file) lastTold() []webhook.Kind {
	due, gone := false, false
	for _, l := range f.lines {
		turns := len(f.turns(l.N))
		due, gone = due || State(l.State) == RefundDue && turns%2 == 0, gone || turns > 0
	}
	switch state := State(f.row.State); {
	case f.takenBack():
		return []webhook.Kind{webhook.Cancelled}
	case state == RefundDue && !due:
		return []webhook.Kind{webhook.Refunded}
	case state == InDoubt && gone:
		return []webhook.Kind{webhook.InDoubt, webhook.Refunded, webhook.RefundDue}
	case f.request != nil && RequestState(f.request.State) == RefundRefused:
		return []webhook.Kind{webhook.RefundRefused}
	case state == Accepted:
		return []webhook.Kind{webhook.Created}
	default:
		return []webhook.Kind{partnerEvents[state]}
	}
}

// told compares a payment with the events that its partner reads of it.
func (c *Check) told(f *file) {
	id, ended := f.row.ID, f.ended()
	for i, e := range f.events {
		switch {
		case e.version != int64(i)+1:
			c.say("the event %d of the payment %s is missing: its partner never hears of it", i+1, id)
			return
		case e.partner != f.partner() || e.amount != f.row.Amount:
			c.say("the event %d of the payment %s is of %d tyiyn to %s", e.version, id, e.amount, e.partner)
		}
	}
	switch {
	case len(f.events) > 0:
		if last := f.events[len(f.events)-1].kind; !slices.Contains(f.lastTold(), last) {
			c.say("the payment %s is %s, and the last event that its partner reads is %s", id, f.row.State, last)
		}
	case f.partner() != "" && !ended.IsZero() && !c.evented.IsZero() && ended.After(c.evented):
		c.say("the payment %s of %s is %s, and no event says so", id, f.partner(), f.row.State)
	}
}
