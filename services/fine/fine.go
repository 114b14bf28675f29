// Package fine shows traffic fines and lets anybody pay them: by plate only
// what is owed, to a proven owner also what happened.
package fine

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Name is the service's name, in payments and in statistics.
const Name = "fine"

// Deps is what the service stands on; every field is needed.
type Deps struct {
	DB       *store.DB
	Queue    *job.Queue
	Register Register
	Cashier  Cashier
	Follower Follower
	Payments Payments
	Outbox   Outbox
	Identity Identity
	Limiter  limit.Limiter
	Sealer   *seal.Sealer
	Trail    *trail.Trail
	Texts    *locales.Catalogue
	Random   io.Reader // crypto/rand.Reader
	Now      func() time.Time
	Log      *slog.Logger
	// PhotoURL is where links to photos begin: https://…/e/.
	PhotoURL string
}

// Payments takes the money (platform/payment).
type Payments interface {
	Checkout(service, list string, about func(t *dialog.Turn, p payment.Payment) dialog.Message) []dialog.Node
	Claimed(ctx context.Context, service, ref string) (bool, error)
	Told(ctx context.Context, c caller.Caller, service, ref string) (bool, error)
	Open(ctx context.Context, c caller.Caller, service string, refs []string) (payment.Payment, error)
	Confirm(ctx context.Context, c caller.Caller, id string) (payment.Payment, error)
	Disown(ctx context.Context, tx *store.Tx, phone string, ids []string, now time.Time) error
}

// Outbox knows what became of messages (platform/notify).
type Outbox interface {
	Reach(ctx context.Context, tx *store.Tx, citizen, prefix, but string) (notify.Reach, error)
}

// Identity knows who proved who they are (platform/identity).
type Identity interface {
	identity.Prover
	PIN(ctx context.Context, citizenID string) (string, error)
	// HoldProof reports that the caller's phone is proved for c.Subject, and keeps it so
	// until tx ends.
	HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error)
	Locale(ctx context.Context, phone string) (locales.Locale, error)
	// PhonesToTell are the phones that are told what is known of a citizen, and keeps them so until tx ends.
	PhonesToTell(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]identity.Reachable, error)
}

// Service is the fines.
type Service struct {
	Deps
	titles  titles
	regions *analytics.Regions
}

// New makes the service.
func New(deps Deps) (*Service, error) {
	if err := needs.All("fines", deps); err != nil {
		return nil, err
	}
	known, err := loadTitles()
	if err != nil {
		return nil, err
	}
	regions, err := analytics.LoadRegions()
	if err != nil {
		return nil, err
	}
	s := &Service{Deps: deps, titles: known, regions: regions}
	job.Handle(deps.Queue, func(ctx context.Context, args watchArgs, _ job.Attempt) error { return s.Watch(ctx, args.Car) })
	return s, nil
}
