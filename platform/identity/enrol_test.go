package identity_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// enrol has a clerk give a code for a phone to Айгүл, whom they see.
func (w *world) enrol(phone string) string {
	w.T.Helper()
	made, err := w.service.Enrol(w.T.Context(), staff.Act{Actor: "staff:dinara"}, phone, aigulPIN, aigulDocument)
	w.OK(err)
	return made.Code
}

// byCode types a clerk's code on a phone.
func (w *world) byCode(phone, code string) (identity.Citizen, error) {
	return w.service.ProveByCode(w.T.Context(), w.by(phone), code)
}

// otherCode is no code that was given.
func otherCode(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

// TestAClerksCodeEnrols: typed once on the phone that it was given for it proves the person
// strongly, without a one-time code or a card's numbers, and their other phones are told.
func TestAClerksCodeEnrols(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.prove(aigul)
		code := w.enrol(second)
		w.fsck("given")
		if _, err := w.byCode(third, code); err == nil {
			t.Error("the code is good on another phone")
		}
		got, err := w.byCode(second, code[:4]+" "+code[4:])
		w.OK(err)
		if got.ID != her.ID || got.Level != caller.LevelStrong || got.Called != "Айгүл А." {
			t.Errorf("proved as %+v", got)
		}
		if found, proved, err := w.service.Proof(t.Context(), w.by(second)); err != nil || !proved || found != got {
			t.Errorf("the phone's proof is %+v, %v, %v", found, proved, err)
		}
		if n := w.notices(aigul); len(n) != 1 || !strings.Contains(n[0], "…0009") {
			t.Errorf("the person's phone hears %q", n)
		}
		_, err = w.byCode(second, code)
		w.refused(err, "enrol_void")
		w.fsck("used")
		for _, text := range append(w.told(second), w.Logs.String()) {
			if strings.Contains(text, code) {
				t.Errorf("the code is in %q", text)
			}
		}
	})
}

// told are all messages to a phone.
func (w *world) told(phone string) (texts []string) {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	for _, m := range list {
		texts = append(texts, m.Text)
	}
	return texts
}

// TestACodeIsForWhomTheRegistersKnow: a clerk who mistypes, or is shown what is void, gives no
// code, and hears why.
func TestACodeIsForWhomTheRegistersKnow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.register.other = map[string]registry.Person{
			"10101199000001": {Surname: "А", Expires: lasting, Void: true}, "10101199000002": {Surname: "А", Expires: lasting, Barred: true},
			"10101199000003": {Surname: "А", Expires: w.Now().Add(-48 * time.Hour)},
		}
		for name, c := range map[string]struct {
			phone, pin, document string
			want                 error
		}{
			"a foreign phone":     {"+77012345678", aigulPIN, aigulDocument, identity.ErrForeignNumber},
			"no phone":            {"", aigulPIN, aigulDocument, identity.ErrForeignNumber},
			"no number":           {aigul, "123", aigulDocument, identity.ErrNoPersonalNumber},
			"no document":         {aigul, aigulPIN, "12", identity.ErrNoDocument},
			"another's document":  {aigul, aigulPIN, bakytDocument, identity.ErrNotTheirs},
			"a void document":     {aigul, "10101199000001", "AN1234567", identity.ErrDocumentVoid},
			"an expired document": {aigul, "10101199000003", "AN1234567", identity.ErrDocumentVoid},
			"a blocked number":    {aigul, "10101199000002", "AN1234567", identity.ErrPersonBarred},
		} {
			_, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, c.phone, c.pin, c.document)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.register.down = true
		if _, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, aigul, aigulPIN, aigulDocument); !errors.Is(err, identity.ErrRegisters) {
			t.Errorf("the registers are down: %v", err)
		}
	})
}

// TestACodeEnds: late, replaced by another, guessed at, released, undone.
func TestACodeEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, code string){
		"late":     func(w *world, _ string) { w.Pass(identity.EnrolLasts) },
		"replaced": func(w *world, _ string) { w.enrol(second) },
		"guessed": func(w *world, code string) {
			for range identity.EnrolTries {
				_, err := w.byCode(second, otherCode(code))
				w.refused(err, "enrol_void")
			}
		},
		"released": func(w *world, _ string) { w.OK(w.service.Release(w.T.Context(), staff.Act{Actor: "officer"}, second)) },
		"undone": func(w *world, _ string) {
			w.prove(second)
			w.undo(aigul, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.prove(aigul)
				code := w.enrol(second)
				end(w, code)
				_, err := w.byCode(second, code)
				w.refused(err, "enrol_void")
				w.fsck(name)
			})
		})
	}
}

// TestADisputeHoldsACode: no clerk gives one for a person whose phones accuse each other; one
// that was given for a phone that is not among them waits until the dispute is over.
func TestADisputeHoldsACode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		code := w.enrol(third)
		w.prove(second)
		w.undo(aigul, "")
		if _, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, second, aigulPIN, aigulDocument); !errors.Is(err, identity.ErrDisputed) {
			t.Errorf("in a dispute: %v", err)
		}
		_, err := w.byCode(third, code)
		w.refused(err, "blocked")
		w.Pass(identity.DisputeLasts)
		_, err = w.byCode(third, code)
		w.OK(err)
	})
}

// TestACodeIsTakenOnce: of many at once that have it one is proved; of many that guess, no
// more are compared than a code bears.
func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		code := w.enrol(second)
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, err := w.byCode(second, code); err == nil {
					taken.Add(1)
				} else if problem.From(err).Code != problem.Forbidden {
					t.Error(err)
				}
			})
		}
		if all.Wait(); taken.Load() != 1 {
			t.Errorf("taken %d times", taken.Load())
		}
	})
}

// TestTheDialogueAsksForAClerksCode: first, where one waits for the phone; who has none goes on
// with the numbers of a card.
func TestTheDialogueAsksForAClerksCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		code := w.enrol(aigul)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "от оператора (8 цифр)")
		k.say("12", "В коде оператора 8 цифр")
		k.say(otherCode(code), "другого телефона")
		k.say(code, "Готово")
		k.clean(code)
		w.Pass(identity.ProofLasts)
		w.enrol(aigul)
		k.dial()
		k.say("1", "от оператора")
		k.say("1", "код")
		k = newDiallerOf(w, aigul, dialog.Flow{Name: "trial"})
		k.channel = caller.SMS
		k.dial()
		k.say("код оператора", "8 цифр")
		k.say(w.enrol(aigul), "подтверждён")
	})
}

// clean wants a code in no state and on no screen.
func (k *dialler) clean(code string) {
	k.T.Helper()
	if strings.Contains(strings.Join(k.kept, "\n"), code) {
		k.T.Error("the code is kept or shown")
	}
}
