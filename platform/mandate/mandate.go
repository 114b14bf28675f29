// Package mandate knows who acts for whom: a person lets another one, by name, use some services for
// them until a day. The other asks, and the person confirms it on a phone of their own, proved
// strongly; either ends it at once. Nothing here tells whether a personal number is anybody's.
package mandate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ServiceName is the part's name in statistics, node ids, locale keys and exports.
const ServiceName = "mandate"

// AskLasts is how long a mandate that was asked for can be given.
const AskLasts = 72 * time.Hour

// Purposes of keyed hashes and contexts of sealed values.
const (
	rowPurpose    = "mandate.row"
	phonePurpose  = "mandate.phone"
	limitPurpose  = "mandate.limit"
	giverContext  = "mandate.giver/"
	holderContext = "mandate.holder/"
)

// The problems of mandates. One that is another's, is over, was never there or is not for the service
// is absent: which of these it is helps only those who guess.
var (
	ErrAbsent   = problem.New(problem.NotFound, "problem.mandate_absent")
	ErrUnproven = problem.New(problem.Unproven, "problem.mandate_identify")
	ErrNumber   = problem.New(problem.Invalid, "problem.mandate_number")
	ErrSelf     = problem.New(problem.Invalid, "problem.mandate_self")
	ErrServices = problem.New(problem.Invalid, "problem.mandate_services")
	ErrOpen     = problem.New(problem.Conflict, "problem.mandate_open")

	// ErrTampered says that somebody changed a row who lacks the master key: nobody acts by it.
	ErrTampered = errors.New("the mandate's row is not what was written")
)

// errUntil refuses a day that has passed or is too far.
func errUntil(days int) *problem.Error {
	return problem.New(problem.Invalid, "problem.mandate_until", "n", days)
}

// Role is which side of a mandate somebody is on.
type Role string

// The roles.
const (
	Giver  Role = "giver"          // for whom the other acts
	Holder Role = "representative" // who acts
)

// State is how far a mandate is.
type State string

// The states of a mandate that is shown; one that is over is not.
const (
	Asked State = "asked"
	Given State = "given"
)

// Mandate is one as one of its sides sees it.
type Mandate struct {
	ID     string
	Role   Role // of who looks
	State  State
	Giver  string // the citizen; empty where nobody gave it
	Called string // what the other side is called; empty: a giver who has not given it
	Tail   string // the last four digits of the other side's personal number
	// Services may be used under it.
	Services []string
	Until    time.Time // it ends with this moment
	AskedAt  time.Time
	GivenAt  time.Time // zero unless Given
	// WaitsUntil is when what is Asked cannot be given any more.
	WaitsUntil time.Time
}

// Identity tells who a caller proved to be. identity.Service is one.
type Identity interface {
	identity.Prover
	HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error)
	PIN(ctx context.Context, citizen string) (string, error)
	// PINIndex is the blind index of a personal number, and its last four digits; not ok: it is none.
	PINIndex(number string) (index, tail string, ok bool)
	// Known is the citizen with the index of a personal number, if there is one.
	Known(ctx context.Context, tx *store.Tx, index string) (citizen string, ok bool, err error)
	PhonesToTell(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]identity.Reachable, error)
	PhonesToWarn(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]identity.Reachable, error)
}

// Deps is what a Service stands on; every field is needed.
type Deps struct {
	DB       *store.DB
	Queue    *job.Queue
	Identity Identity
	Sealer   *seal.Sealer
	Trail    *trail.Trail
	Limiter  limit.Limiter
	Texts    *locales.Catalogue
	Random   io.Reader // crypto/rand.Reader
	Now      func() time.Time
}

// Service keeps mandates. It is safe for concurrent use.
type Service struct {
	Deps
	offered []string
}

// New makes a Service and gives the job queue its work.
func New(d Deps) (*Service, error) {
	if err := needs.All("mandates", d); err != nil {
		return nil, err
	}
	s := &Service{Deps: d}
	job.Handle(d.Queue, s.tell)
	return s, nil
}

// Offer says that a service may be used under a mandate; its text NAME.mandate says what that is. Call it
// before anything is served.
func (s *Service) Offer(service string) { s.offered = append(s.offered, service) }

// Offered are the services that may be used under a mandate.
func (s *Service) Offered() []string { return slices.Clone(s.offered) }

// side is what the screens of the other side call one: the last digits tell namesakes apart.
type side struct {
	Called string `json:"called,omitempty"`
	Tail   string `json:"tail"`
}

func (s *Service) sealSide(of side, context string) ([]byte, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("write what a person is called: %w", err)
	}
	sealed, err := s.Sealer.Seal(text, context)
	if err != nil {
		return nil, fmt.Errorf("seal what a person is called: %w", err)
	}
	return sealed, nil
}

// viewFor is a row as one of its sides sees it.
func (s *Service) viewFor(role Role, row db.Mandate) (Mandate, error) {
	m := Mandate{
		ID: row.ID, Role: role, State: Asked, Giver: row.GiverID, Services: strings.Fields(row.Services), Until: row.UntilAt.Time,
		AskedAt: row.AskedAt.Time, GivenAt: row.GivenAt.Time, WaitsUntil: row.ExpiresAt.Time,
	}
	if !row.GivenAt.IsZero() {
		m.State, m.WaitsUntil = Given, time.Time{}
	}
	sealed, context := row.GiverSealed, giverContext
	if role == Giver {
		sealed, context = row.HolderSealed, holderContext
	}
	text, err := s.Sealer.Open(sealed, context+row.ID)
	if err != nil {
		return m, fmt.Errorf("open what a person is called: %w", err)
	}
	var other side
	if err := json.Unmarshal(text, &other); err != nil {
		return m, fmt.Errorf("read what a person is called: %w", err)
	}
	m.Called, m.Tail = other.Called, other.Tail
	return m, nil
}

// mac is over all of a row.
func (s *Service) mac(row db.Mandate) (string, error) {
	giver, err := s.Sealer.First(row.GiverSealed) // it stays the same when it is sealed anew
	if err != nil {
		return "", fmt.Errorf("the mandate %s: %w", row.ID, ErrTampered)
	}
	holder, err := s.Sealer.First(row.HolderSealed)
	if err != nil {
		return "", fmt.Errorf("the mandate %s: %w", row.ID, ErrTampered)
	}
	text, err := json.Marshal([]any{
		row.ID, row.GiverIndex, row.GiverID, row.HolderID, row.Services, giver, holder, row.PhoneIndex,
		row.AskedAt.Micros(), row.ExpiresAt.Micros(), row.UntilAt.Micros(), row.GivenAt.Micros(), row.EndedAt.Micros(), row.EndedBy,
	})
	if err != nil {
		return "", fmt.Errorf("write a mandate: %w", err)
	}
	return s.Sealer.Index(rowPurpose, string(text)), nil
}

// phoneIndex is the blind index of a phone; "" of none, as an app may have.
func (s *Service) phoneIndex(phone string) string {
	if phone == "" {
		return ""
	}
	return s.Sealer.Index(phonePurpose, phone)
}

// genuine refuses a row that was changed by who lacks the master key.
func (s *Service) genuine(row db.Mandate) error {
	mac, err := s.mac(row)
	if err == nil && mac != row.Mac {
		err = fmt.Errorf("the mandate %s: %w", row.ID, ErrTampered)
	}
	return err
}

// held does an operation's work for the proven citizen c.Subject in a transaction that no undo
// of the proof overtakes.
func (s *Service) held(ctx context.Context, c caller.Caller, operation string, work func(tx *store.Tx, me person) error) error {
	me, err := s.person(ctx, c, operation)
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil {
			return err
		} else if !held {
			return ErrUnproven
		}
		return work(tx, me)
	})
}

// person is who asks.
type person struct {
	id     string
	index  string // of the personal number
	called side
}

// person is the proven citizen c.Subject, if an operation is theirs to do.
func (s *Service) person(ctx context.Context, c caller.Caller, operation string) (person, error) {
	if c.Subject == "" {
		return person{}, ErrUnproven
	}
	if err := Assurance.Admit(c, operation); err != nil {
		return person{}, err
	}
	citizen, proven, err := s.Identity.Proof(ctx, c)
	if err != nil {
		return person{}, err
	}
	if !proven || citizen.ID != c.Subject {
		return person{}, ErrUnproven
	}
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return person{}, err
	}
	index, tail, ok := s.Identity.PINIndex(pin)
	if !ok {
		return person{}, errors.New("the number of a citizen is none")
	}
	return person{id: citizen.ID, index: index, called: side{Called: citizen.Called, Tail: tail}}, nil
}
