package identity_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"regexp"
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
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// The people of the sandbox.
const (
	aigul         = "+996555000001"
	aigulPIN      = "11503198800011"
	aigulDocument = "ID1000001"
	bakyt         = "+996700000002"
	bakytPIN      = "22107197900022"
	bakytDocument = "ID1000002"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// register is a register of two persons that counts what it is asked.
type register struct {
	mu    sync.Mutex
	asked int
	calls []registry.Call
	down  bool
	hold  func() // before each answer; nil: none is held
}

func (r *register) CheckPerson(_ context.Context, q registry.Call, pin, document string) (registry.Person, error) {
	if r.hold != nil {
		r.hold()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	r.calls = append(r.calls, q)
	switch {
	case r.down:
		return registry.Person{}, problem.New(problem.Unavailable, "problem.registry_down")
	case pin == aigulPIN && document == aigulDocument:
		return registry.Person{Surname: "Асанова", Name: "Айгүл"}, nil
	case pin == bakytPIN && document == bakytDocument:
		return registry.Person{Surname: "Токтогулов"}, nil // who has but one name
	}
	return registry.Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
}

// mailbox is a provider that keeps what it is given.
type mailbox struct {
	mu   sync.Mutex
	sent []notify.Outgoing
}

func (m *mailbox) Send(_ context.Context, o notify.Outgoing) (notify.Taken, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, o)
	return notify.Taken{Provider: "test", ID: "SM" + o.ID}, nil
}

// world is a service with all that it stands on.
type world struct {
	t        *testing.T
	db       *store.DB
	service  *identity.Service
	deps     identity.Deps
	register *register
	outbox   *notify.Outbox
	queue    *job.Queue
	mailbox  *mailbox
	audit    *audit.Log
	trail    func(trail.Auditor) *trail.Trail // with records as an auditor writes them
	logs     *bytes.Buffer

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, register: &register{}, mailbox: &mailbox{}, now: start, logs: &bytes.Buffer{}}
	log := slog.New(slog.NewJSONHandler(w.logs, nil))
	sealer, err := seal.New(bytes.Repeat([]byte{7}, seal.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	if w.queue, err = job.New(db, log); err != nil {
		t.Fatal(err)
	}
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	recorder := analytics.NewRecorder(db, log)
	t.Cleanup(recorder.Close)
	w.outbox = notify.New(db, w.queue, sealer, w.mailbox, notify.Quiet{}, w.clock, log)
	w.audit = audit.New(db, sealer)
	w.trail = func(auditor trail.Auditor) *trail.Trail {
		left, err := trail.New(auditor, recorder, w.outbox)
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	w.deps = identity.Deps{
		DB: db, Sealer: sealer, Trail: w.trail(w.audit), Limiter: limit.NewMemory(w.clock),
		Registry: w.register, Catalogue: catalogue, Now: w.clock, Rand: rand.Reader, Log: log,
	}
	if w.service, err = identity.New(w.deps); err != nil {
		t.Fatal(err)
	}
	return w
}

// rebuild makes the service anew from changed deps.
func (w *world) rebuild() {
	w.t.Helper()
	var err error
	if w.service, err = identity.New(w.deps); err != nil {
		w.t.Fatal(err)
	}
}

// by is the caller with a phone, now.
func (w *world) by(phone string) caller.Caller {
	return caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.RU, Now: w.clock()}
}

// oneTime is a short code or a long one in its groups.
var oneTime = regexp.MustCompile(`\b(\d{6}|\d{4} \d{4} \d{4})\b`)

// send asks for a code.
func (w *world) send(c caller.Caller) error {
	_, err := w.service.SendCode(w.t.Context(), c)
	return err
}

// check guesses at a code without its challenge.
func (w *world) check(c caller.Caller, code string) error {
	return w.service.CheckCode(w.t.Context(), c, "", code)
}

// code reads the code of the last message to a phone, from the outbox.
func (w *world) code(phone string) string {
	w.t.Helper()
	list, err := w.outbox.List(w.t.Context(), phone)
	if err != nil || len(list) == 0 {
		w.t.Fatalf("no message reached the phone: %v", err)
	}
	code := oneTime.FindString(list[0].Text)
	if code == "" {
		w.t.Fatal("the last message has no code")
	}
	return code
}

// verify makes a phone use a code.
func (w *world) verify(phone string) {
	w.t.Helper()
	w.ok(w.send(w.by(phone)))
	w.ok(w.check(w.by(phone), w.code(phone)))
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused wants the problem with a key.
func (w *world) refused(err error, key string) {
	w.t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Key != "problem.identity_"+key {
		w.t.Fatalf("want the problem %s, got %v", key, err)
	}
}

// number asks the database for one number.
func (w *world) number(query string) int {
	w.t.Helper()
	var n int
	if err := w.db.Reader().QueryRowContext(w.t.Context(), query).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// wrong gives a code that is not the right one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
