// Package trail writes down what a step leaves behind beside its own rows: a record in
// the audit log, a counted event and messages, all of them in the transaction of the
// step, so that none is there without the others and without the step.
package trail

import (
	"context"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
)

// Auditor writes to the tamper-evident log; an audit.Log is one.
type Auditor interface {
	Record(ctx context.Context, tx *store.Tx, e audit.Entry) error
	Look(ctx context.Context, e audit.Entry) error
}

// Outbox sends messages if and only if tx commits; a notify.Outbox is one.
type Outbox interface {
	SendAll(ctx context.Context, tx *store.Tx, list []notify.Message) error
}

// Trail is where steps are written down. It is safe for concurrent use.
type Trail struct {
	auditor  Auditor
	recorder *analytics.Recorder
	outbox   Outbox
}

// New makes a Trail. An error names the part that is missing.
func New(auditor Auditor, recorder *analytics.Recorder, outbox Outbox) (*Trail, error) {
	deps := struct {
		Auditor  Auditor
		Recorder *analytics.Recorder
		Outbox   Outbox
	}{auditor, recorder, outbox}
	if err := needs.All("the trail", deps); err != nil {
		return nil, err
	}
	return &Trail{auditor: auditor, recorder: recorder, outbox: outbox}, nil
}

// Step is what something that was done leaves behind.
type Step struct {
	// Audit is the record, with what it decided; without an Action there is none.
	Audit audit.Entry
	// Event is what is counted; without a Step nothing is.
	Event analytics.Event
	// Messages tell the people whom it concerns.
	Messages []notify.Message
}

// Leave writes the record of s, counts its event and sends its messages, in this order
// and in the caller's transaction: on an error the caller must not commit.
func (t *Trail) Leave(ctx context.Context, tx *store.Tx, s Step) error {
	if s.Audit.Action != "" {
		if err := t.auditor.Record(ctx, tx, s.Audit); err != nil {
			return err
		}
	}
	if s.Event.Step != "" {
		if err := t.recorder.InTx(ctx, tx, s.Event); err != nil {
			return err
		}
	}
	return t.outbox.SendAll(ctx, tx, s.Messages)
}

// Later counts an event of what changed nothing, soon and in the background.
func (t *Trail) Later(e analytics.Event) { t.recorder.Later(e) }

// Look records that somebody looked at a person's data and changed nothing, in a
// transaction of its own and not for every screen of a conversation: see audit.Log.Look.
// On an error the data must not be shown.
func (t *Trail) Look(ctx context.Context, e audit.Entry) error { return t.auditor.Look(ctx, e) }
