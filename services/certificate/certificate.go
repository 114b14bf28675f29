// Package certificate issues what the state's registers certify to citizens who
// proved who they are, and verifies it for anybody. catalogue.toml lists the kinds. A certificate is one signed record in three views: a QR code that
// verifies offline, a short number that verifies over any channel, and a PDF.
package certificate

import (
	"context"
	"io"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/keylock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// name is the service's name in statistics, node ids and locale keys.
const name = "certificate"

// What several operations refuse.
var (
	errUnproven = problem.New(problem.Unproven, "problem.certificate_identify")
	errNumber   = problem.New(problem.Invalid, "problem.certificate_number")
	errAbsent   = problem.New(problem.NotFound, "problem.certificate_not_found") // another's, too
	errRevoked  = problem.New(problem.Conflict, "problem.certificate_revoked")
)

// State is how far a certificate is.
type State string

// The states of a certificate.
const (
	Requested State = "requested" // the intent is stored, the signature is not
	Issued    State = "issued"
	Revoked   State = "revoked"
	Dropped   State = "dropped" // the right to it ended before it was signed: nobody was given it
)

// Certificate is one certificate as its owner sees it in a list.
type Certificate struct {
	Number    string // canonical: see ShowNumber
	Kind      Kind
	Child     string // of which child it is, by given name and initial; "": of none
	Giver     string // of whom it is who gave a mandate, so too; "" and no Child: its owner's own
	State     State
	IssuedAt  time.Time
	RevokedAt time.Time // zero unless Revoked
}

// Identity tells who a caller proved to be. identity.Service is one.
type Identity interface {
	identity.Prover
	// PIN is a citizen's personal number, for calls to registries only.
	PIN(ctx context.Context, citizenID string) (string, error)
	// Kept reports that a phone that was a citizen's at a moment is so still.
	HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error)
	Kept(ctx context.Context, phone, citizen string, since time.Time) (bool, error)
	// PhonesToTell are those that are told what becomes of a citizen's certificate; they stay so
	// until tx ends.
	PhonesToTell(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]identity.Reachable, error)
}

// Pseudonyms knows citizens by their personal numbers. identity.Service is one.
type Pseudonyms interface {
	// Pseudonym is the citizen of the personal number of somebody for whom an actor acts.
	Pseudonym(ctx context.Context, tx *store.Tx, actor, pin string, now time.Time) (string, error)
}

// Mandates knows who acts for whom. mandate.Service is one.
type Mandates interface {
	// Under lists the mandates under which the citizen c.Subject may use a service.
	Under(ctx context.Context, c caller.Caller, service string) ([]mandate.Mandate, error)
	// Use gives one under which a holder may, and Hold has it stay so until tx ends.
	Use(ctx context.Context, id, holder, service string, now time.Time) (mandate.Mandate, error)
	Hold(ctx context.Context, tx *store.Tx, id, holder, service string, now time.Time) (mandate.Mandate, error)
	// Died ends those of a giver who has died.
	Died(ctx context.Context, giver string, now time.Time) error
}

// Signer signs records and checks signatures. sign.Keys is one.
type Signer interface {
	Sign(ctx context.Context, claims sign.Claims) ([]byte, error)
	Verify(ctx context.Context, message []byte) (sign.Claims, error)
	Public(ctx context.Context) ([]sign.PublicKey, error)
	// SignToken signs what is published of the certificates.
	SignToken(ctx context.Context, typ string, payload any) (string, error)
}

// Documents has the key by which documents are signed. sign.Documents is one.
type Documents interface {
	Current(ctx context.Context) (sign.DocumentKey, error)
}

// Deps is what the service stands on; every field is needed.
type Deps struct {
	DB        *store.DB
	Queue     *job.Queue
	Registers Registers
	Identity  Identity
	// Pseudonyms are of those whom somebody asks for.
	Pseudonyms Pseudonyms
	Mandates   Mandates
	Sealer     *seal.Sealer
	Signer     Signer
	// Documents signs the paper as readers of PDF check it.
	Documents Documents
	Trail     *trail.Trail
	Texts     *locales.Catalogue
	Limiter   limit.Limiter
	// Issuer names us in every signed record (the CWT claim iss), as KG-ESHIK.
	Issuer string
	// VerifyURL is the address of the page that verifies numbers, as printed on
	// certificates: https://…/verify.
	VerifyURL string
	// SMSNumber is the number to text for verifying, as printed on certificates.
	SMSNumber string
	// Random draws certificate numbers: crypto/rand.Reader.
	Random io.Reader
	// Now is the moment of background work, which has no caller.
	Now func() time.Time
}

// Service issues and verifies certificates.
type Service struct {
	Deps
	// orders are locked by the person, so that the same order sent many times at once
	// asks the register once, and failures are counted before the next.
	orders keylock.Locks
	places places
	made   published
}

// New makes the service and gives the job queue its work.
func New(d Deps) (*Service, error) {
	if err := needs.All("certificates", d); err != nil {
		return nil, err
	}
	list, err := loadPlaces()
	if err != nil {
		return nil, err
	}
	s := &Service{Deps: d, places: list}
	job.Handle(d.Queue, s.finishLater)
	return s, nil
}
