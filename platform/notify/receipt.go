package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// outcomes are the final statuses of providers. Every other one (accepted,
// queued, sending, sent) tells nothing that we do not know. Source: Twilio,
// "Message Status Values"; SMPP 3.4, section 5.2.28; Africa's Talking, "SMS
// Delivery Reports".
var outcomes = map[string]State{
	"delivered": Delivered, "delivrd": Delivered, "read": Delivered,
	"success": Delivered, "rejected": Failed, "absentsubscriber": Failed,
	"failed": Failed, "undelivered": Failed, "undeliv": Failed, "rejectd": Failed, "expired": Failed, "deleted": Failed,
}

// DeliveryReceipt is a provider's word on what became of a message.
type DeliveryReceipt struct {
	// Provider is who speaks, and ID its own for the message.
	Provider, ID string
	Status       string
	// Message is our ID of it, from a provider that repeats what we gave with the
	// message; Operator is then the network it went to.
	Message, Operator string
	// Phone, in E.164, is where the message went; empty where that is not told.
	Phone string
	// Rewritten says that the provider may write the ID in another way than in its
	// answer: in another base, or with other leading zeros.
	Rewritten bool
	// OwnPhone has the report taken for a message to Phone only: it may be a text that
	// somebody wrote.
	OwnPhone bool
	// Orphan has the report kept when no message has the ID, for the one to Phone that
	// was not answered about.
	Orphan bool
}

// NotTaken is the status of a report, with our own ID, that the provider has not taken
// the message after all: its refusal came when nobody waited for it any more.
const NotTaken = "not_taken"

// NoteReceipt takes a provider's delivery receipt. Receipts may come repeated or late:
// the first final one counts, and no other is looked at. One with our own ID of a
// message that is still queued tells that a try succeeded, if it did, although its
// answer was lost: the message is not sent again. ErrUnknown means that no message has
// the provider's id, or none yet: a report may overtake the provider's own answer.
func (o *Outbox) NoteReceipt(ctx context.Context, r DeliveryReceipt) error {
	if r.Status == NotTaken {
		return o.notTaken(ctx, r)
	}
	state, final := outcomes[strings.ToLower(r.Status)]
	if !final {
		if r.Message == "" {
			return nil
		}
		state = Sent
	}
	known := true
	err := o.end(ctx, func(ctx context.Context, q *db.Queries) (err error) {
		known, err = o.note(ctx, q, r, state)
		return err
	})
	if err == nil && !known {
		return ErrUnknown
	}
	return err
}

// note writes down what a report tells; known is false when no message is found.
func (o *Outbox) note(ctx context.Context, q *db.Queries, r DeliveryReceipt, state State) (known bool, err error) {
	id, now := name(r.Provider, r.ID), dbtime.From(o.now())
	if state != Sent && !r.Rewritten {
		n, err := q.Finish(ctx, db.FinishParams{State: string(state), FinishedAt: now, ProviderID: id})
		if err != nil {
			return false, fmt.Errorf("note a delivery report: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	found, err := o.meant(ctx, q, r)
	if err != nil {
		return false, err
	}
	if found != "" {
		if state != Sent {
			_, err = q.FinishMeant(ctx, db.FinishMeantParams{State: string(state), FinishedAt: now, ID: found})
		}
		if err != nil {
			return false, fmt.Errorf("note a delivery report: %w", err)
		}
		return true, nil
	}
	switch {
	case state == Failed: // the try is followed by the next
		return false, nil
	case r.Message != "":
		return o.match(ctx, q, r, state)
	case r.Orphan && r.Phone != "":
		return true, o.keepOrphan(ctx, q, r)
	}
	return false, nil
}

// notTaken notes that a try which got no answer in time came to nothing: no report of it
// is awaited any more.
func (o *Outbox) notTaken(ctx context.Context, r DeliveryReceipt) error {
	return o.end(ctx, func(ctx context.Context, q *db.Queries) error {
		if _, err := q.Refused(ctx, r.Message); err != nil {
			return fmt.Errorf("note a late refusal: %w", err)
		}
		return nil
	})
}

// match notes that a message was sent although the answer about it was lost, unless
// that is known; done is false when no such message is queued any more.
func (o *Outbox) match(ctx context.Context, q *db.Queries, r DeliveryReceipt, state State) (done bool, err error) {
	now := dbtime.From(o.now())
	decimal, hex := forms(r.ID)
	matched := db.MatchParams{
		IDDecimal: decimal, IDHex: hex,
		ID: r.Message, State: string(state), ProviderID: name(r.Provider, r.ID), Provider: r.Provider, Operator: r.Operator, SentAt: now,
		Code: string(Code), Nothing: []byte{},
	}
	if state != Sent {
		matched.FinishedAt = now
	}
	n, err := q.Match(ctx, matched)
	if err != nil {
		return false, fmt.Errorf("note that a message was sent although its answer was lost: %w", err)
	}
	return n > 0, nil
}

// Stored is a message as the outbox keeps it.
type Stored struct {
	ID      string
	Purpose Purpose
	State   State
	Text    string // empty once a code's message is over
	// Provider took it and named it ProviderID; Parts SMS cost Cost tyiyn.
	Provider, ProviderID string
	Parts, Cost          int64
	Tries                int64
	QueuedAt             time.Time
}

// List gives the last messages to a phone, the newest first, 100 at most.
func (o *Outbox) List(ctx context.Context, phone string) ([]Stored, error) {
	rows, err := db.New(o.db.Reader()).List(ctx, o.sealer.Index(phoneContext, phone))
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	list := make([]Stored, len(rows))
	for i, row := range rows {
		list[i] = Stored{
			ID: row.ID, Purpose: Purpose(row.Purpose), State: State(row.State), Provider: row.Provider,
			ProviderID: ownID(row.Provider, row.ProviderID.String), Parts: row.Parts, Cost: row.Cost, Tries: row.Tries, QueuedAt: row.QueuedAt.Time,
		}
		if len(row.TextSealed) == 0 {
			continue
		}
		text, err := o.sealer.Open(row.TextSealed, textContext)
		if err != nil {
			return nil, fmt.Errorf("read message %s: %w", row.ID, err)
		}
		list[i].Text = string(text)
	}
	return list, nil
}

// Outcome is what became of the messages that a provider took for an operator.
type Outcome struct {
	Provider, Operator string
	// Messages is their number; Failed of them failed, Slow were delivered late,
	// and of Silent nothing was heard in time.
	Messages, Failed, Slow, Silent int
}

// Outcomes counts the messages sent since a moment; late is what a delivery may
// take.
func (o *Outbox) Outcomes(ctx context.Context, since time.Time, late time.Duration) ([]Outcome, error) {
	rows, err := db.New(o.db.Reader()).Outcomes(ctx, db.OutcomesParams{
		SentAt: dbtime.From(since), Late: late.Microseconds(), SentBefore: dbtime.From(o.now().Add(-late)),
	})
	if err != nil {
		return nil, fmt.Errorf("count what became of messages: %w", err)
	}
	list := make([]Outcome, len(rows))
	for i, row := range rows {
		list[i] = Outcome{
			Provider: row.Provider, Operator: row.Operator, Messages: int(row.Messages), Failed: int(row.Failed),
			Slow: int(row.Slow), Silent: int(row.Silent),
		}
	}
	return list, nil
}
