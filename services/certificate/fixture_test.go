package certificate_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate"
)

const (
	phone   = "+996555000001"
	citizen = "01890000-0000-7000-8000-000000000001"
	pin     = "11503198800011"
)

var noon = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// register is a register of residents that knows one person.
type register struct {
	mu      sync.Mutex
	members []certificate.Member
	err     error
	calls   int
}

func (r *register) Residence(_ context.Context, asked, issue string) (certificate.Residence, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil || asked != pin || issue == "" {
		return certificate.Residence{}, false, r.err
	}
	return certificate.Residence{
		Person:  certificate.Person{Name: "Асанова Айгүл Бакытовна", Born: "1988-03-15"},
		Address: "Чүй облусу, Сокулук району, Төмөн-Суу айылы, Достук көчөсү, 12",
	}, true, nil
}

func (r *register) Family(context.Context, string, string) ([]certificate.Member, bool, error) {
	return r.members, true, r.err
}

// proofs knows one citizen.
type proofs struct{ proven, released bool }

func (p *proofs) Kept(context.Context, string, string, time.Time) (bool, error) {
	return !p.released, nil
}

func (p *proofs) Proof(context.Context, caller.Caller) (identity.Citizen, bool, error) {
	return identity.Citizen{ID: citizen}, p.proven, nil
}

func (p *proofs) PIN(_ context.Context, id string) (string, error) {
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

// sender keeps what reached phones.
type sender struct {
	mu   sync.Mutex
	sent []notify.Outgoing
}

func (s *sender) Send(_ context.Context, m notify.Outgoing) (notify.Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m)
	return notify.Taken{Provider: "test", ID: m.ID}, nil
}

func (s *sender) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for _, m := range s.sent {
		out = append(out, m.Text)
	}
	return out
}

// house is the service with its real neighbours and a false outside.
type house struct {
	*certificate.Service
	db       *store.DB
	register *register
	proofs   *proofs
	signer   *flaky
	sender   *sender
	queue    *job.Queue
	audit    *audit.Log
	trail    func(trail.Auditor) *trail.Trail // with records as an auditor writes them
	cat      *locales.Catalogue
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

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return noon }
	sealer := must[*seal.Sealer](t)(seal.New(bytes.Repeat([]byte{7}, 32)))
	h := &house{
		db: db, register: &register{}, proofs: &proofs{proven: true}, sender: &sender{},
		queue:  must[*job.Queue](t)(job.New(db, log)),
		signer: &flaky{Keys: must[*sign.Keys](t)(sign.Open(t.Context(), db, sealer, now, log))},
		audit:  audit.New(db, sealer),
		cat:    must[*locales.Catalogue](t)(locales.Load()),
	}
	events := analytics.NewRecorder(db, log)
	t.Cleanup(events.Close)
	outbox := notify.New(db, h.queue, sealer, h.sender, notify.Quiet{}, now, log)
	h.trail = func(auditor trail.Auditor) *trail.Trail {
		return must[*trail.Trail](t)(trail.New(auditor, events, outbox))
	}
	h.Service = must[*certificate.Service](t)(certificate.New(certificate.Deps{
		DB: db, Jobs: h.queue, Register: h.register, Proofs: h.proofs, Sealer: sealer, Signer: h.signer,
		Trail: h.trail(h.audit), Texts: h.cat, Limiter: limit.NewMemory(now), Issuer: "KG-ESHIK", VerifyURL: "https://eshik.example.kg/verify", SMSNumber: "1414",
		Random: rand.Reader, Now: now,
	}))
	return h
}

// work runs the job queue for the rest of the test.
func (h *house) work(t testing.TB) {
	t.Helper()
	if err := h.queue.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.queue.Stop(context.Background()) })
}

func aigul(turn string) caller.Caller {
	return caller.Caller{
		Phone: phone, Subject: citizen, Channel: caller.USSD, Operator: "MegaCom", Locale: locales.KY, Now: noon, Key: turn,
	}
}

func wantKey(t testing.TB, err error, key string) {
	t.Helper()
	if got := problem.From(err).Key; err == nil || got != key {
		t.Errorf("the problem is %v, want %s", err, key)
	}
}

// count runs a query that gives one number.
func (h *house) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := h.db.Reader().QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
