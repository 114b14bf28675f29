package owndata_test

import (
	"context"
	"crypto/rand"
	"regexp"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/owndata"
)

// persons is a register of the two people of the sandbox.
type persons struct{}

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

// world is the service with the identities that it stands on.
type world struct {
	*testworld.World
	*owndata.Service
	identity *identity.Service
	holders  *personal.Holders
}

// held is a register where everybody holds their phone's number.
type held struct{}

func (held) Confirms(context.Context, registry.Call, string, string, time.Time) (identity.Answer, error) {
	return identity.Yes, nil
}

// strong is who asks, proved strongly.
func (w *world) strong(c caller.Caller) caller.Caller {
	w.T.Helper()
	citizen, err := w.identity.StepUp(w.T.Context(), c)
	w.OK(err)
	c.Level = citizen.Level
	return c
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), holders: &personal.Holders{}}
	var err error
	w.identity, err = identity.New(identity.Deps{
		DB: db, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Registry: persons{}, Texts: w.Texts, Now: w.Clock.Now, Random: rand.Reader, Log: w.Log,
		Strong: []identity.Provider{held{}},
	})
	w.OK(err)
	w.holders.Add("messages", w.Outbox.Personal())
	w.holders.Add("identity", w.identity.Personal())
	w.Service, err = owndata.New(owndata.Deps{
		DB: db, Identity: w.identity, Audit: w.Audit, Trail: w.Trail, Texts: w.Texts, Sealer: w.Sealer, Limiter: w.Limiter, Holders: w.holders,
		Random: rand.Reader, Now: w.Clock.Now,
	})
	w.OK(err)
	return w
}

// aigul and bakyt prove who they are on their phones, and are who then asks.
func (w *world) aigul() caller.Caller {
	return w.prove(testworld.Aigul, testworld.AigulPIN, testworld.AigulDocument)
}

func (w *world) bakyt() caller.Caller {
	return w.prove(testworld.Bakyt, testworld.BakytPIN, testworld.BakytDocument)
}

var oneTime = regexp.MustCompile(`\b\d{6}\b`)

func (w *world) prove(phone, pin, document string) caller.Caller {
	w.T.Helper()
	c := caller.Caller{Phone: phone, Channel: caller.USSD, Session: "call", Locale: locales.KY, Now: w.Clock.Now()}
	_, err := w.identity.SendCode(w.T.Context(), c)
	w.OK(err)
	list, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	w.OK(w.identity.CheckCode(w.T.Context(), c, "", oneTime.FindString(list[0].Text)))
	citizen, err := w.identity.Prove(w.T.Context(), c, pin, document)
	w.OK(err)
	c.Subject, c.Level = citizen.ID, citizen.Level
	return c
}
