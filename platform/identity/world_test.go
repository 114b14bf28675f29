package identity_test

import (
	"context"
	"crypto/rand"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const (
	aigul         = testworld.Aigul
	aigulPIN      = testworld.AigulPIN
	aigulDocument = testworld.AigulDocument
	bakyt         = testworld.Bakyt
	bakytPIN      = testworld.BakytPIN
	bakytDocument = testworld.BakytDocument
)

// register is a register of two persons that counts what it is asked.
type register struct {
	mu    sync.Mutex
	asked int
	calls []registry.Call
	down  bool
	hold  func() // before each answer; nil: none is held
	// other are people whose document is any.
	other map[string]registry.Person
}

// lasting is a day on which the documents of the tests are still valid.
var lasting = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

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
		return registry.Person{Surname: "Асанова", Name: "Айгүл", Expires: lasting}, nil
	case pin == bakytPIN && document == bakytDocument:
		return registry.Person{Surname: "Токтогулов", Expires: lasting}, nil // who has but one name
	case r.other[pin].Surname != "":
		return r.other[pin], nil
	}
	return registry.Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
}

// world is a service with all that it stands on.
type world struct {
	*testworld.World
	service  *identity.Service
	deps     identity.Deps
	register *register
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), register: &register{}}
	w.deps = identity.Deps{
		DB: db, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Registry: w.register, Texts: w.Texts,
		Now: w.Now, Random: rand.Reader, Log: w.Log,
	}
	w.rebuild()
	return w
}

// rebuild makes the service anew from changed deps.
func (w *world) rebuild() {
	w.T.Helper()
	var err error
	w.service, err = identity.New(w.deps)
	w.OK(err)
}

// by is the caller with a phone, now.
func (w *world) by(phone string) caller.Caller {
	return caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.RU, Now: w.Now()}
}

// oneTime is a short code or a long one in its groups.
var oneTime = regexp.MustCompile(`\b(\d{6}|\d{4} \d{4} \d{4})\b`)

// send asks for a code.
func (w *world) send(c caller.Caller) error {
	_, err := w.service.SendCode(w.T.Context(), c)
	return err
}

// check guesses at a code without its challenge.
func (w *world) check(c caller.Caller, code string) error {
	return w.service.CheckCode(w.T.Context(), c, "", code)
}

// code reads the code of the last message to a phone, from the outbox.
func (w *world) code(phone string) string {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	if err != nil || len(list) == 0 {
		w.T.Fatalf("no message reached the phone: %v", err)
	}
	code := oneTime.FindString(list[0].Text)
	if code == "" {
		w.T.Fatal("the last message has no code")
	}
	return code
}

// verify makes a phone use a code.
func (w *world) verify(phone string) {
	w.T.Helper()
	w.OK(w.send(w.by(phone)))
	w.OK(w.check(w.by(phone), w.code(phone)))
}

// refused wants the problem with a key.
func (w *world) refused(err error, key string) {
	w.T.Helper()
	testworld.Refused(w.T, err, "problem.identity_"+key)
}

// wrong gives a code that is not the right one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
