package identity_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const (
	herSecret = "580294"
	hisSecret = "7301962"
)

// sets has a person who is proved strongly set a secret.
func (w *world) sets(phone, secret string) {
	w.T.Helper()
	w.OK(w.service.SetSecret(w.T.Context(), w.by(phone), "", secret))
}

// bySecret types a secret on a phone.
func (w *world) bySecret(phone, secret string) (identity.Citizen, error) {
	return w.service.ProveBySecret(w.T.Context(), w.by(phone), secret)
}

// together are Айгүл and Бакыт, each with a secret on her phone.
func (w *world) together() (her, him identity.Citizen) {
	w.T.Helper()
	her, err := w.byCode(aigul, w.enrol(aigul))
	w.OK(err)
	w.sets(aigul, herSecret)
	w.OK(w.service.Forget(w.T.Context(), w.by(aigul)))
	made, err := w.service.Enrol(w.T.Context(), staff.Act{Actor: "staff:dinara"}, aigul, bakytPIN, bakytDocument)
	w.OK(err)
	him, err = w.byCode(aigul, made.Code)
	w.OK(err)
	w.sets(aigul, hisSecret)
	w.OK(w.service.Forget(w.T.Context(), w.by(aigul)))
	return her, him
}

// TestTheRightSecretSelectsThePerson: of those who share a phone, strongly, and nobody hears
// of it anew.
func TestTheRightSecretSelectsThePerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her, him := w.together()
		heard := len(w.told(aigul))
		for secret, want := range map[string]identity.Citizen{herSecret: her, hisSecret: him, "5 8029-4": her} {
			got, err := w.bySecret(aigul, secret)
			if w.OK(err); got != want {
				t.Errorf("proved as %+v, want %+v", got, want)
			}
			if found, _, err := w.service.Proof(t.Context(), w.by(aigul)); err != nil || found != want {
				t.Errorf("the phone's proof is %+v, %v", found, err)
			}
		}
		if n := len(w.told(aigul)); n != heard {
			t.Errorf("%d messages more", n-heard)
		}
		_, err := w.bySecret(second, herSecret)
		w.refused(err, "secret_none")
		w.fsck("proved")
	})
}

// TestWhatIsNoSecret: what is tried first, what stands on the card, and another's on the phone.
func TestWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.together()
		_, err := w.bySecret(aigul, herSecret)
		w.OK(err)
		for secret, key := range map[string]string{
			"12345": "secret_format", "58029a": "secret_format", "5802941234567": "secret_format", "": "secret_format",
			"111111": "secret_easy", "123456": "secret_easy", "890123": "secret_easy", "654321": "secret_easy", "121212": "secret_easy",
			"1231231": "secret_easy", aigulPIN[3:9]: "secret_easy", "5000001": "secret_easy", "0555000001": "secret_easy", aigulDocument[2:]: "secret_easy",
			hisSecret: "secret_taken",
		} {
			w.refused(w.service.SetSecret(t.Context(), w.by(aigul), herSecret, secret), key)
		}
		for range 6 { // what was not given is no guess
			w.refused(w.service.SetSecret(t.Context(), w.by(aigul), "", "904417"), "secret_current")
		}
		_, err = w.bySecret(aigul, herSecret)
		w.OK(err)
	})
}

// TestASecretIsChangedByWhoKnowsIt, and removed so; a weak proof sets none.
func TestASecretIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		testworld.Refused(t, w.service.SetSecret(t.Context(), w.by(aigul), "", herSecret), "problem.level_proven")
		w.prove(aigul)
		testworld.Refused(t, w.service.SetSecret(t.Context(), w.by(aigul), "", herSecret), "problem.level_strong")
		w.OK(w.service.Forget(t.Context(), w.by(aigul)))
		w.together()
		_, err := w.bySecret(aigul, herSecret)
		w.OK(err)
		w.refused(w.service.SetSecret(t.Context(), w.by(aigul), "", "904417"), "secret_current")
		w.refused(w.service.SetSecret(t.Context(), w.by(aigul), "904417", "904418"), "secret_wrong")
		w.OK(w.service.SetSecret(t.Context(), w.by(aigul), herSecret, "904417"))
		w.refused(w.service.RemoveSecret(t.Context(), w.by(aigul), herSecret), "secret_wrong")
		w.fsck("changed")
		w.OK(w.service.RemoveSecret(t.Context(), w.by(aigul), "904417"))
		w.refused(w.service.RemoveSecret(t.Context(), w.by(aigul), "904417"), "secret_none")
		w.fsck("removed")
	})
}

// TestGuessesAtASecretAreFew: over all channels at once, and without Redis, five are compared;
// then it is locked for whoever knows it too, and the person's phones are told once.
func TestGuessesAtASecretAreFew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her, err := w.byCode(aigul, w.enrol(aigul))
		w.OK(err)
		w.sets(aigul, herSecret)
		w.prove(second)
		var wrong, locked int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				c := w.by(aigul)
				c.Channel = []caller.Channel{caller.USSD, caller.SMS, caller.REST}[i%3]
				_, err := w.service.ProveBySecret(t.Context(), c, fmt.Sprint(904400+i))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					t.Error("a wrong secret is taken")
				case strings.Contains(err.Error(), "secret_wrong"):
					wrong++
				case strings.Contains(err.Error(), "secret_locked"):
					locked++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if wrong != identity.SecretTries-1 || locked != 30-wrong { // the last one compared says that it is locked
			t.Errorf("%d wrong, %d locked", wrong, locked)
		}
		_, err = w.bySecret(aigul, herSecret)
		w.refused(err, "secret_locked")
		for _, phone := range []string{aigul, second} {
			if n := strings.Count(strings.Join(w.told(phone), "\n"), "неверно 5 раз"); n != 1 {
				t.Errorf("%s hears of it %d times", phone, n)
			}
		}
		w.Pass(identity.SecretLocks)
		got, err := w.bySecret(aigul, herSecret)
		if w.OK(err); got.ID != her.ID {
			t.Errorf("proved as %+v", got)
		}
	})
}

// TestWhoKnowsTheirOwnSecretGuessesNoOthers: their right ones forgive nothing of another's.
func TestWhoKnowsTheirOwnSecretGuessesNoOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.together()
		for i := range identity.SecretTries {
			_, err := w.bySecret(aigul, fmt.Sprint(904400+i))
			if err == nil {
				t.Fatal("a wrong secret is taken")
			}
			if i < identity.SecretTries-1 {
				_, err = w.bySecret(aigul, hisSecret)
				w.OK(err)
			}
		}
		_, err := w.service.ProveBySecret(t.Context(), w.by(aigul), herSecret)
		if err == nil {
			t.Error("her secret bears more guesses than it may")
		}
		got, err := w.bySecret(aigul, hisSecret)
		if w.OK(err); got.Called != "Токтогулов" {
			t.Errorf("proved as %+v", got)
		}
	})
}

// TestASecretIsCutWhereThePhoneIs: a released number, a lost phone, an erasure, a clerk's code.
func TestASecretIsCutWhereThePhoneIs(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(w *world){
		"released": func(w *world) { w.OK(w.service.Release(w.T.Context(), staff.Act{Actor: "officer"}, aigul)) },
		"undone by another phone": func(w *world) {
			w.prove(second)
			w.undo(second, "")
		},
		"undid another phone": func(w *world) {
			w.prove(second)
			w.undo(aigul, "")
		},
		"a clerk's code": func(w *world) { _, err := w.byCode(aigul, w.enrol(aigul)); w.OK(err) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				_, err := w.byCode(aigul, w.enrol(aigul))
				w.OK(err)
				w.sets(aigul, herSecret)
				cut(w)
				_, err = w.bySecret(aigul, herSecret)
				w.refused(err, "secret_none")
				w.fsck(name)
			})
		})
	}
}

// TestPlantedSecrets: one that nobody set, or changed, is found.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her, him := w.together()
		w.changed("the secret of the citizen "+her.ID, "UPDATE identity_secrets SET hash = (SELECT hash FROM identity_secrets WHERE citizen_id = '"+
			him.ID+"') WHERE citizen_id = '"+her.ID+"'")
		w.changed("has a secret on the phone x", "UPDATE identity_secrets SET phone_index = 'x' WHERE citizen_id = '"+her.ID+"'")
	})
}

// TestTheDialogueAsksForTheSecret: in place of a code and a card; who is somebody else goes on
// with these. It is set, changed and removed there.
func TestTheDialogueAsksForTheSecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.byCode(aigul, w.enrol(aigul))
		w.OK(err)
		k := newDiallerOf(w, aigul, dialog.Flow{Name: "trial", Entry: identity.SecretOption})
		k.dial()
		k.say("1", "нет секретного кода")
		k.say("1", "6 цифр или больше")
		k.say("123456", "слишком простой")
		k.say(herSecret, "задан")
		w.Pass(identity.ProofLasts)
		k.dial()
		k.say("1", "Введите ваш секретный код")
		k.say("904417", "Ещё попыток: 4")
		k.say(herSecret, "есть секретный код")
		k.say("1", "Введите ваш секретный код")
		k.say(herSecret, "6 цифр или больше")
		k.say(hisSecret, "задан")
		k.dial() // another call: what restores a proof in seconds is asked for at once
		k.say("1", "Введите ваш секретный код")
		k.say(hisSecret, "есть секретный код")
		k.say("2", "Введите ваш")
		k.say(hisSecret, "убран")
		k.clean(herSecret)
		k.clean(hisSecret)
		w.sets(aigul, herSecret)
		w.OK(w.service.Forget(t.Context(), w.by(aigul)))
		other := newDialler(w, aigul)
		other.dial()
		other.say("1", "секретный код")
		other.say("1", "код из SMS")
		w.Pass(time.Minute)
	})
}

// TestASecretIsOfWhomItsScreenNames: what is typed on the screen of one of those who share a phone
// sets, changes and removes nothing of the other's, who was proved meanwhile, in another call.
func TestASecretIsOfWhomItsScreenNames(t *testing.T) {
	t.Parallel()
	for name, way := range map[string][]string{
		"set":     {"1"},
		"changed": {"1"},
		"removed": {"2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				_, err := w.byCode(aigul, w.enrol(aigul))
				w.OK(err)
				k := newDiallerOf(w, aigul, dialog.Flow{Name: "trial", Entry: identity.SecretOption})
				k.channel = caller.SMS
				k.dial()
				if name == "set" {
					k.say("1", "Айгүл А.")
				} else {
					w.sets(aigul, herSecret)
					k.say("1", "Введите ваш секретный код")
					k.say(herSecret, "Айгүл А.")
				}
				for _, text := range way {
					k.turn(dialog.Input{Text: text})
				}
				w.OK(w.service.Forget(t.Context(), w.by(aigul)))
				made, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, aigul, bakytPIN, bakytDocument)
				w.OK(err)
				texting := w.by(aigul)
				texting.Channel = caller.SMS
				_, err = w.service.ProveByCode(t.Context(), texting, made.Code)
				w.OK(err)
				if name != "set" {
					w.OK(w.service.SetSecret(t.Context(), texting, "", hisSecret))
				}
				k.say("739164", "подтвердился другой человек")
				k.say(hisSecret, "") // on the screen that names him nothing is asked for
				hers, his := 1, 1
				if name == "set" {
					hers, his = 0, 0
				}
				// Hers bore a guess when he set his, which must not be hers; his bore none.
				const of = "SELECT COUNT(*) FROM identity_secrets s JOIN identity_citizens c ON c.id = s.citizen_id WHERE c.pin_index = $1 AND s.tries <= $2"
				if n := w.Number(of, w.Sealer.Index("identity.pin", aigulPIN), 1); n != hers {
					t.Errorf("%d secrets of hers, want %d", n, hers)
				}
				if n := w.Number(of, w.Sealer.Index("identity.pin", bakytPIN), 0); n != his {
					t.Errorf("%d secrets of his, want %d", n, his)
				}
				w.fsck(name)
			})
		})
	}
}

// TestAPersonHearsOfTheirSecret: the phones on which they are proved strongly, each once, that on
// which it was set, changed or removed too, and no weak one. Where several
// share the phone it says whose it is.
func TestAPersonHearsOfTheirSecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(bakyt)
		for _, phone := range []string{second, aigul} {
			_, err := w.byCode(phone, w.enrol(phone))
			w.OK(err)
		}
		heard := func(after, set, removed string) {
			t.Helper()
			for phone, want := range map[string]string{aigul: set + removed, second: set + removed, bakyt: ""} {
				messages := strings.Join(w.told(phone), "\n")
				got := strings.Repeat("+", strings.Count(messages, "новый секретный код")) + strings.Repeat("-", strings.Count(messages, "убран"))
				if got != want {
					t.Errorf("%s: %s hears %q, want %q: %s", after, phone, got, want, messages)
				}
			}
		}
		w.sets(aigul, herSecret)
		heard("set", "+", "")
		w.Pass(time.Minute)
		w.OK(w.service.SetSecret(t.Context(), w.by(aigul), herSecret, "904417"))
		heard("changed", "++", "")
		w.OK(w.service.RemoveSecret(t.Context(), w.by(aigul), "904417"))
		heard("removed", "++", "-")
		if got := strings.Join(w.told(aigul), "\n"); strings.Contains(got, "Айгүл") || strings.Contains(got, "904417") {
			t.Errorf("her own phone reads %s", got)
		}
		made, err := w.service.Enrol(t.Context(), staff.Act{Actor: "staff:dinara"}, aigul, bakytPIN, bakytDocument)
		w.OK(err)
		_, err = w.byCode(aigul, made.Code)
		w.OK(err)
		w.sets(aigul, hisSecret)
		if got := strings.Join(w.told(aigul), "\n"); !strings.Contains(got, "Токтогулов – на телефоне") {
			t.Errorf("the shared phone reads %s", got)
		}
	})
}
