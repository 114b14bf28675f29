package mandate_test

import (
	"context"
	"crypto/rand"
	"regexp"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// nobody is a personal number that nobody has proved.
const nobody = "10101199000055"

// persons is a register of two people, and held one where everybody holds their phone's number.
type (
	persons struct{}
	held    struct{}
)

func (persons) CheckPerson(_ context.Context, _ registry.Call, pin, document string) (registry.Person, error) {
	until := time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case pin == testworld.AigulPIN && document == testworld.AigulDocument:
		return registry.Person{Surname: "Асанова", Name: "Айгүл", Expires: until}, nil
	case pin == testworld.BakytPIN && document == testworld.BakytDocument:
		return registry.Person{Surname: "Токтогулов", Name: "Бакыт", Expires: until}, nil
	}
	return registry.Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
}

func (held) Confirms(context.Context, registry.Call, string, string, time.Time) (identity.Answer, error) {
	return identity.Yes, nil
}

// world is mandates with the identities that they stand on.
type world struct {
	*testworld.World
	*mandate.Service
	identity *identity.Service
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{})}
	var err error
	w.identity, err = identity.New(identity.Deps{
		DB: db, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Registry: persons{}, Texts: w.Texts, Now: w.Clock.Now, Random: rand.Reader, Log: w.Log,
		Strong: []identity.Provider{held{}},
	})
	w.OK(err)
	w.Service, err = mandate.New(mandate.Deps{
		DB: db, Queue: w.Queue, Identity: w.identity, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Texts: w.Texts, Random: rand.Reader, Now: w.Clock.Now,
	})
	w.OK(err)
	w.identity.Tie(w.Outbox, w.Service)
	w.Offer("certificate")
	w.Offer("fine")
	w.Work()
	return w
}

// aigul and bakyt prove strongly who they are, and are who then asks.
func (w *world) aigul() caller.Caller {
	return w.prove(testworld.Aigul, testworld.AigulPIN, testworld.AigulDocument)
}

func (w *world) bakyt() caller.Caller {
	return w.prove(testworld.Bakyt, testworld.BakytPIN, testworld.BakytDocument)
}

var oneTime = regexp.MustCompile(`\b\d{6}\b`)

// codes are the one-time codes that a phone got.
func (w *world) codes(phone string) (codes []string) {
	for _, m := range w.Phones.Sent() {
		if code := oneTime.FindString(m.Text); m.To == phone && code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}

func (w *world) prove(phone, pin, document string) caller.Caller {
	w.T.Helper()
	c := caller.Caller{Phone: phone, Channel: caller.USSD, Session: "call", Locale: locales.RU, Now: w.Clock.Now()}
	before := len(w.codes(phone))
	_, err := w.identity.SendCode(w.T.Context(), c)
	w.OK(err)
	// The queue works: once the phone has the message, its text is kept nowhere else.
	for deadline := time.Now().Add(30 * time.Second); len(w.codes(phone)) == before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	codes := w.codes(phone)
	if len(codes) == before {
		w.T.Fatal("no code came")
	}
	w.OK(w.identity.CheckCode(w.T.Context(), c, "", codes[len(codes)-1]))
	citizen, err := w.identity.Prove(w.T.Context(), c, pin, document)
	w.OK(err)
	c.Subject, c.Level = citizen.ID, citizen.Level
	citizen, err = w.identity.StepUp(w.T.Context(), c)
	w.OK(err)
	c.Level = citizen.Level
	return c
}

// now is a caller at this moment.
func (w *world) now(c caller.Caller) caller.Caller {
	c.Now = w.Clock.Now()
	return c
}

// wish is for certificates until a number of days from now.
func (w *world) wish(number string, days int) mandate.Wish {
	return mandate.Wish{Number: number, Services: []string{"certificate"}, Until: clock.Date(w.Clock.Now()).AddDate(0, 0, days)}
}

// given is a mandate that Aigul gave to Bakyt.
func (w *world) given(giver, holder caller.Caller) mandate.Mandate {
	w.T.Helper()
	m, err := w.Ask(w.T.Context(), holder, w.wish(testworld.AigulPIN, 30))
	w.OK(err)
	m, err = w.Give(w.T.Context(), giver, m.ID)
	w.OK(err)
	return m
}

// list is a person's.
func (w *world) list(c caller.Caller) []mandate.Mandate {
	w.T.Helper()
	list, err := w.List(w.T.Context(), w.now(c))
	w.OK(err)
	return list
}

// usable reports that a mandate may be used for certificates.
func (w *world) usable(c caller.Caller, id string) bool {
	w.T.Helper()
	_, err := w.Use(w.T.Context(), id, c.Subject, "certificate", w.Clock.Now())
	if err != nil {
		testworld.Refused(w.T, err, "problem.mandate_absent")
	}
	return err == nil
}

// texts are what a phone was sent of a kind.
func (w *world) texts(phone, word string) (n int) {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	for _, m := range list {
		if regexp.MustCompile(word).MatchString(m.Text) {
			n++
		}
	}
	return n
}

// records counts those of an action about a person.
func (w *world) records(action, subject string) int {
	return w.Number("SELECT count(*) FROM audit_records WHERE action = $1 AND subject = $2", action, subject)
}
