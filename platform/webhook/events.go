// Package webhook tells payment partners what becomes of their payments: a log of events
// that they read, and the same events sent to an address of theirs as Standard Webhooks
// (https://www.standardwebhooks.com, version 1.0).
//
// An event is written in the transaction of the change that it tells of. It is numbered
// afterwards, under a lock of its partner: numbers that were given at once by transactions
// that commit in another order would have a reader go past an event that it never saw.
package webhook

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/webhook/db"
)

// Kind is what happened, as partners read it.
type Kind string

// The kinds.
const (
	Created   Kind = "payment.created"    // the partner's quote can be paid
	Refused   Kind = "payment.refused"    // the quote was closed: nothing was taken, nor will be
	Cancelled Kind = "payment.cancelled"  // the partner took its quote back
	Settled   Kind = "payment.settled"    // the register has it
	InDoubt   Kind = "payment.in_doubt"   // the register's record does not show whose payment it holds: staff clear it
	RefundDue Kind = "payment.refund_due" // Refund of it goes back to the citizen
	Refunded  Kind = "payment.refunded"   // Refund of it went back
	// RefundRefused: the partner asked for a settled payment to go back, and it does not.
	RefundRefused Kind = "payment.refund_refused"
)

// Event is a change of a partner's payment. It holds nothing of a person.
type Event struct {
	ID      string // evt_ and 32 hexadecimal digits
	Partner string
	Kind    Kind
	// PaymentID is ours and told to nobody; Version is the event's place among those of
	// its payment, from 1.
	PaymentID string
	Version   int64
	Code      string // what the payment is paid by: partners know it by this
	TxnID     string // the partner's transaction; empty: nothing is paid
	Reference string // ours of the transaction
	Service   string
	Amount    money.Amount
	Refund    money.Amount
	At        time.Time
}

// Events is the log of events.
type Events struct {
	DB  *store.DB
	Now func() time.Time
}

// NewEvents makes an Events. An error names what is missing of it.
func NewEvents(e Events) (*Events, error) {
	if err := needs.All("events of partners", e); err != nil {
		return nil, err
	}
	return &e, nil
}

// Record writes an event down in the transaction of its change, which must hold the
// payment's row. ID, Version and At are set here.
func (e *Events) Record(ctx context.Context, tx *store.Tx, event Event) error {
	q := db.New(tx)
	last, err := q.LastVersion(ctx, event.PaymentID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find a payment's last event: %w", err)
	}
	id, err := newID()
	if err != nil {
		return err
	}
	err = q.InsertEvent(ctx, db.InsertEventParams{
		ID: id, PartnerID: event.Partner, PaymentID: event.PaymentID, Version: last + 1, Kind: string(event.Kind),
		Code: event.Code, TxnID: event.TxnID, Reference: event.Reference, Service: event.Service,
		Amount: int64(event.Amount), Refund: int64(event.Refund), HappenedAt: dbtime.From(e.Now()),
	})
	if err != nil {
		return fmt.Errorf("write an event down: %w", err)
	}
	return nil
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an event's id: %w", err)
	}
	return "evt_" + hex.EncodeToString(id[:]), nil
}

// numbered is how many events get their numbers in one transaction.
const numbered = 500

// Number gives the events that were committed since their numbers. Call it now and then,
// from any number of processes.
func (e *Events) Number(ctx context.Context) error {
	partners, err := db.New(e.DB.Reader()).WithNewEvents(ctx)
	if err != nil {
		return fmt.Errorf("look for new events: %w", err)
	}
	for _, partner := range partners {
		for n := numbered; n == numbered; {
			if err := e.DB.InTx(ctx, func(tx *store.Tx) (err error) { n, err = number(ctx, tx, partner, e.Now()); return err }); err != nil {
				return fmt.Errorf("number the events of %s: %w", partner, err)
			}
		}
	}
	return nil
}

// number numbers some of a partner's events, and says how many.
func number(ctx context.Context, tx *store.Tx, partner string, now time.Time) (int, error) {
	q := db.New(tx)
	if err := q.AddHead(ctx, partner); err != nil {
		return 0, err
	}
	last, err := q.LockHead(ctx, partner)
	if err != nil {
		return 0, err
	}
	ids, err := q.NewEvents(ctx, db.NewEventsParams{PartnerID: partner, Rows: numbered})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id, last + int64(i) + 1}
	}
	if _, err := tx.Each(ctx, "UPDATE partner_events SET seq = $2 WHERE id = $1", rows); err != nil {
		return 0, err
	}
	switch row, err := hook(ctx, q, partner); {
	case errors.Is(err, errAbsent), err == nil && !sends(row):
	case err != nil:
		return 0, err
	default:
		if err := send(ctx, tx, partner, ids, now); err != nil {
			return 0, err
		}
	}
	return len(ids), q.SetHead(ctx, db.SetHeadParams{PartnerID: partner, Last: last + int64(len(ids))})
}

// MostEvents is the most events of a page.
const MostEvents = 1000

var errEvent = problem.New(problem.NotFound, "problem.partner_event_absent")

// After lists a partner's own events after the one with the id, "" for the first: at most
// rows (1 to MostEvents). more says that there are others after them. Who goes on from the
// last one that it has sees every event once, and those of one payment by their versions.
// Problem: partner_event_absent, also of another partner's.
func (e *Events) After(ctx context.Context, partner, after string, rows int) (list []Event, more bool, err error) {
	q, seq := db.New(e.DB.Reader()), int64(0)
	if after != "" {
		row, err := q.EventOf(ctx, db.EventOfParams{ID: after, PartnerID: partner})
		if errors.Is(err, sql.ErrNoRows) {
			return nil, false, errEvent
		}
		if err != nil {
			return nil, false, fmt.Errorf("find an event: %w", err)
		}
		seq = row.Seq
	}
	rows = max(1, min(rows, MostEvents))
	found, err := q.EventsAfter(ctx, db.EventsAfterParams{PartnerID: partner, After: seq, Rows: int32(rows) + 1}) // #nosec G115 -- bounded
	if err != nil {
		return nil, false, fmt.Errorf("list events: %w", err)
	}
	list = make([]Event, min(rows, len(found)))
	for i := range list {
		list[i] = eventOf(found[i])
	}
	return list, len(found) > rows, nil
}

func eventOf(row db.PartnerEvent) Event {
	return Event{
		ID: row.ID, Partner: row.PartnerID, Kind: Kind(row.Kind), PaymentID: row.PaymentID, Version: row.Version, Code: row.Code, TxnID: row.TxnID,
		Reference: row.Reference, Service: row.Service, Amount: money.Amount(row.Amount), Refund: money.Amount(row.Refund), At: row.HappenedAt.Time,
	}
}
