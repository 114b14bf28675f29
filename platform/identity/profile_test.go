package identity_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestDevicesAreThePersons (missing for apps): the phones of one person, in order,
// hidden, with how each stands.
func TestDevicesAreThePersons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		citizen := w.prove(aigul)
		w.Pass(time.Hour)
		w.prove(second)
		c := w.by(aigul)
		if _, err := w.service.Devices(t.Context(), c); err == nil {
			t.Error("phones are listed without a person")
		}
		c.Subject = citizen.ID
		list, err := w.service.Devices(t.Context(), c)
		w.OK(err)
		if len(list) != 2 || list[0].Phone != "+996*****0001" || !list[0].Current || list[1].Phone != "+996*****0009" || list[1].Current {
			t.Fatalf("%+v", list)
		}
		if gap := list[1].ProvenUntil.Sub(list[0].ProvenUntil); gap != time.Hour || !list[0].BlockedUntil.IsZero() {
			t.Errorf("the second proof ends %s after the first: %+v", gap, list)
		}
		w.undo(aigul, noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1])
		list, err = w.service.Devices(t.Context(), c)
		w.OK(err)
		if len(list) != 2 || list[1].BlockedUntil.IsZero() || !list[1].ProvenUntil.IsZero() {
			t.Errorf("after the undoing: %+v", list)
		}
		w.Pass(identity.ProofLasts)
		c.Now = w.Now()
		list, err = w.service.Devices(t.Context(), c)
		w.OK(err)
		if len(list) != 2 || !list[0].ProvenUntil.IsZero() {
			t.Errorf("after the proof has lapsed: %+v", list)
		}
		c.Subject = "01890000-0000-7000-8000-00000000ffff"
		if list, err = w.service.Devices(t.Context(), c); err != nil || len(list) != 0 {
			t.Errorf("a stranger's phones: %+v, %v", list, err)
		}
	})
}

// TestAccount: the language and the proof of a phone, and of no other.
func TestAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		account := func(phone, subject string) identity.Account {
			c := w.by(phone)
			c.Subject = subject
			a, err := w.service.Account(t.Context(), c)
			w.OK(err)
			return a
		}
		if a := account(aigul, ""); a != (identity.Account{}) {
			t.Errorf("a new phone: %+v", a)
		}
		citizen := w.prove(aigul)
		w.OK(w.service.SetLocale(t.Context(), aigul, locales.KYLatn, ""))
		if a := account(aigul, citizen.ID); a.Locale != locales.KYLatn || !a.ProvenUntil.Equal(w.Now().Add(identity.ProofLasts)) {
			t.Errorf("a proven phone: %+v", a)
		}
		if a := account(second, citizen.ID); a != (identity.Account{}) {
			t.Errorf("another phone of the person, not proven: %+v", a)
		}
	})
}

// TestSentTellsWhenToAskAgain: the moment from which a request has another message sent,
// and which message to look for where it has none sent.
func TestSentTellsWhenToAskAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ask := func() identity.Sent {
			s, err := w.service.SendCode(t.Context(), w.app(aigul, shared))
			w.OK(err)
			return s
		}
		for range identity.CodesOpen { // short codes
			if s := ask(); !s.SentAt.Equal(w.Now()) || !s.ExpiresAt.Equal(w.Now().Add(identity.CodeLasts)) || !s.AgainAt.Equal(w.Now()) {
				t.Errorf("at %s: %+v", w.Now(), s)
			}
			w.Pass(time.Minute)
		}
		long, at := ask(), w.Now()
		if !long.SentAt.Equal(at) || !long.ExpiresAt.Equal(at.Add(identity.SharedLasts)) || !long.AgainAt.Equal(at.Add(identity.CodesPer)) {
			t.Errorf("the long code: %+v", long)
		}
		w.Pass(time.Minute)
		if s := ask(); s != long {
			t.Errorf("asked again while it is good: %+v, was %+v", s, long)
		}
		w.Pass(identity.CodesPer)
		if s := ask(); !s.SentAt.Equal(w.Now()) || s.Challenge == long.Challenge {
			t.Errorf("later: %+v", s)
		}
	})
}
