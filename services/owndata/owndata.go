// Package owndata gives people their own side of what is kept about them: who looked
// at it, a copy of it, and its erasure.
package owndata

import (
	"context"
	"io"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// name is the service's name in statistics, node ids and locale keys.
const name = "owndata"

// problemProve tells a caller to prove who they are first.
var problemProve = problem.New(problem.Unproven, "problem.owndata_prove")

// Identity tells who a caller proved to be. identity.Service is one.
type Identity interface {
	// Proof gives the citizen that the caller's phone proved to be.
	Proof(ctx context.Context, c caller.Caller) (identity.Citizen, bool, error)
	// HoldProof reports that the caller's phone is proved for c.Subject, and keeps it so
	// until tx ends.
	HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error)
	// DisputedUntil is when the dispute about the person's phones ends; not after now
	// where there is none.
	DisputedUntil(ctx context.Context, tx *store.Tx, citizen string, now time.Time) (time.Time, error)
	// PhonesToWarn are those that are told that something is done to the person's data.
	PhonesToWarn(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]identity.Reachable, error)
}

// Deps is what the service stands on; every field is needed.
type Deps struct {
	DB       *store.DB
	Identity Identity
	Audit    *audit.Log
	Trail    *trail.Trail
	Texts    *locales.Catalogue
	Sealer   *seal.Sealer
	Limiter  limit.Limiter
	Holders  *personal.Holders // the parts that keep personal data
	Random   io.Reader         // crypto/rand.Reader
	Now      func() time.Time  // the moment of what is due
}

// Service is the citizen's side of their data.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) (*Service, error) {
	if err := needs.All("people's own data", d); err != nil {
		return nil, err
	}
	return &Service{Deps: d}, nil
}

// held does an operation's work for the proven citizen c.Subject in a transaction that no undo
// of the proof overtakes.
func (s *Service) held(ctx context.Context, c caller.Caller, operation string, work func(tx *store.Tx) error) error {
	if c.Subject == "" {
		return problemProve
	}
	if err := Assurance.Admit(c, operation); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil {
			return err
		} else if !held {
			return problemProve
		}
		return work(tx)
	})
}
