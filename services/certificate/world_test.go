package certificate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

const (
	phone   = testworld.Aigul
	citizen = "01890000-0000-7000-8000-000000000001"
	pin     = testworld.AigulPIN
)

var noon = testworld.Start

// register is a register of residents that knows one person and their children.
type register struct {
	mu       sync.Mutex
	members  []certificate.Member
	children []certificate.Minor
	// neighbours live there and are nobody's children.
	neighbours []certificate.Minor
	barred     string // the personal number of whom the civil register knows as dead
	blocked    string // that is blocked
	err        error
	away       error // of the register of families
	calls      int
}

func (r *register) Residence(_ context.Context, q certificate.Question) (certificate.Residence, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil || q.By != pin || q.Issue == "" {
		return certificate.Residence{}, false, r.err
	}
	for _, m := range slices.Concat(r.children, r.neighbours) {
		if m.PIN == q.PIN {
			person := certificate.Person{Name: m.Surname + " " + m.Name, Born: m.Born.Format(time.DateOnly)}
			return certificate.Residence{Person: person, Address: "Чүй облусу"}, true, nil
		}
	}
	if q.PIN != pin {
		return certificate.Residence{}, false, nil
	}
	return certificate.Residence{
		Person:  certificate.Person{Name: "Асанова Айгүл Бакытовна", Born: "1988-03-15"},
		Address: "Чүй облусу, Сокулук району, Төмөн-Суу айылы, Достук көчөсү, 12",
	}, true, nil
}

func (r *register) Family(context.Context, certificate.Question) ([]certificate.Member, bool, error) {
	return r.members, true, r.err
}

func (r *register) Children(_ context.Context, q certificate.Question) ([]certificate.Minor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away != nil || q.PIN != pin || q.By != pin || q.Issue == "" {
		return nil, r.away
	}
	return slices.Clone(r.children), nil
}

func (r *register) Barred(_ context.Context, q certificate.Question) (died, blocked bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return q.PIN == r.barred, q.PIN == r.blocked, nil
}

// minor is a child of the one person.
func minor(pin, name, born string) certificate.Minor {
	day, err := time.Parse(time.DateOnly, born)
	if err != nil {
		panic(err)
	}
	return certificate.Minor{PIN: pin, Surname: "Асанова", Name: name, Born: day}
}

// proofs knows one citizen.
type proofs struct{ proven, released, undone, weak bool }

func (p *proofs) HoldProof(context.Context, *store.Tx, caller.Caller) (bool, error) {
	return !p.undone, nil
}

func (p *proofs) Kept(context.Context, string, string, time.Time) (bool, error) {
	return !p.released, nil
}

func (p *proofs) Proof(context.Context, caller.Caller) (identity.Citizen, bool, error) {
	level := caller.LevelStrong
	if p.weak {
		level = caller.LevelWeak
	}
	return identity.Citizen{ID: citizen, Level: level}, p.proven, nil
}

func (p *proofs) PhonesToTell(_ context.Context, _ *store.Tx, id string, _ time.Time) ([]identity.Reachable, error) {
	if id != citizen {
		return nil, nil
	}
	return []identity.Reachable{{Phone: phone, Locale: locales.KY}, {Phone: testworld.Bakyt, Locale: locales.RU}}, nil
}

// Pseudonym makes none of its own: a number in tens is its citizen.
func (p *proofs) Pseudonym(_ context.Context, _ *store.Tx, actor, pin string, _ time.Time) (string, error) {
	if actor != "parent:"+citizen {
		return "", errors.New("nobody acts for a child")
	}
	return "the citizen " + pin, nil
}

func (p *proofs) PIN(_ context.Context, id string) (string, error) {
	if id == giver {
		return giverPIN, nil
	}
	if id != citizen {
		return "", problem.New(problem.NotFound, "problem.citizen_unknown")
	}
	return pin, nil
}

// flaky is a signer that fails while it is told to.
type flaky struct {
	*sign.Keys
	fails bool
}

func (f *flaky) Sign(ctx context.Context, claims sign.Claims) ([]byte, error) {
	if f.fails {
		return nil, errors.New("the process died here")
	}
	return f.Keys.Sign(ctx, claims)
}

// world is the service with its real neighbours and a false outside.
type world struct {
	*testworld.World
	*certificate.Service
	register  *register
	papers    *papers
	proofs    *proofs
	signer    *flaky
	mandates  *mandates
	documents *sign.Documents
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	h := &world{World: testworld.New(t, db, testworld.Setup{}), register: &register{}, papers: newPapers(), proofs: &proofs{proven: true}, mandates: &mandates{}}
	h.signer = &flaky{Keys: must[*sign.Keys](t)(sign.Open(t.Context(), sign.Deps{DB: db, Sealer: h.Sealer, Trail: h.Trail, Now: h.Clock.Now, Log: h.Log}))}
	h.documents = must[*sign.Documents](t)(sign.OpenDocuments(t.Context(), sign.Deps{DB: db, Sealer: h.Sealer, Trail: h.Trail, Now: h.Clock.Now, Log: h.Log}, nil))
	h.Service = must[*certificate.Service](t)(certificate.New(certificate.Deps{
		DB: db, Queue: h.Queue, Registers: registers(h), Identity: h.proofs, Pseudonyms: h.proofs, Mandates: h.mandates, Sealer: h.Sealer, Signer: h.signer, Documents: h.documents,
		Trail: h.Trail, Texts: h.Texts, Limiter: h.Limiter, Issuer: "KG-ESHIK", VerifyURL: "https://eshik.example.kg/verify", SMSNumber: "1414",
		Random: rand.Reader, Now: h.Clock.Now,
	}))
	return h
}

func aigul(turn string) caller.Caller {
	return caller.Caller{
		Phone: phone, Subject: citizen, Level: caller.LevelStrong, Channel: caller.USSD, Operator: "MegaCom", Locale: locales.KY, Now: noon, Key: turn,
	}
}
