package staff

import (
	"context"

	"github.com/eshik-kg/eshik/platform/store"
)

// Act is something that an officer does. Whoever does it calls Record in the transaction of
// its effect, ahead of it: neither is there without the other.
type Act struct {
	Actor  string // as the audit log names them: "staff:asel"
	Reason string // the case number, or why
	// Facts is what the act rests on, as who approved it saw it; empty: it was not proposed, or
	// rests on nothing. It was compared just before; what changes it meanwhile is seen under the effect's own locks.
	Facts string
	// Kept is what was drawn when the act was proposed, of which its proposer holds the other
	// half; empty: it was not proposed.
	Kept   string
	record func(ctx context.Context, tx *store.Tx) error
}

// Record writes down in the effect's transaction who acts and why, and claims what may be
// done once only. On an error there is no effect. An Act that no account stands behind, as
// that of a rehearsal, records nothing of its own.
func (a Act) Record(ctx context.Context, tx *store.Tx) error {
	if a.record == nil {
		return nil
	}
	return a.record(ctx, tx)
}

// Done is what came of an act.
type Done struct {
	Said string // in English, for a terminal
	// Made is what the act made and only who did it is shown, or nobody else knows yet: an
	// enrolment's code, an account's credentials. Often there is none: nil.
	Made any
}

// Outcome is what came of asking for an operation: it is done, or waits for a second person.
type Outcome struct {
	Done
	Waits *Proposal
}

// By makes the act of an officer: an operation, for a reason.
func (s *Service) By(o Officer, operation, reason string) Act {
	return Act{Actor: o.Actor(), Reason: reason, record: func(ctx context.Context, tx *store.Tx) error {
		return s.leave(ctx, tx, o.Actor(), operation, o.ID, reason)
	}}
}
