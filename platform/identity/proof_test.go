package identity_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// silence is how long after its last use a proof is good in another session of a phone whose
// person has no secret there.
const silence = 20 * time.Minute

// in is the caller with a phone in a session, now.
func (w *world) in(phone, session string) caller.Caller {
	c := w.by(phone)
	c.Session = session
	return c
}

// proven is who is proved on a phone in a session; "" for nobody.
func (w *world) proven(phone, session string) identity.Citizen {
	w.T.Helper()
	citizen, _, err := w.service.Proof(w.T.Context(), w.in(phone, session))
	w.OK(err)
	return citizen
}

// proves has Айгүл prove who she is in a session, by the numbers of her card.
func (w *world) proves(phone, session string) identity.Citizen {
	w.T.Helper()
	w.OK(w.send(w.in(phone, session)))
	w.OK(w.check(w.in(phone, session), w.code(phone)))
	citizen, err := w.service.Prove(w.T.Context(), w.in(phone, session), aigulPIN, aigulDocument)
	w.OK(err)
	return citizen
}

// TestAProofIsOfItsSession: it is good there; in another, as after a call that dropped, only
// while it was used a short while ago, and whoever dials an hour later is asked.
func TestAProofIsOfItsSession(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.proves(aigul, "first")
		w.Pass(silence - time.Second)
		if got := w.proven(aigul, "second"); got != her {
			t.Fatalf("the call that was dialled again is %+v", got)
		}
		w.Pass(silence - time.Second) // after the use in the second
		if got := w.proven(aigul, "third"); got != her {
			t.Fatalf("and again: %+v", got)
		}
		w.fsck("used thrice")
		w.Pass(silence)
		for _, session := range []string{"second", "third", "fourth", ""} {
			if got := w.proven(aigul, session); got.ID != "" {
				t.Errorf("the session %q is %+v", session, got)
			}
		}
		if got := w.proven(aigul, "first"); got != her {
			t.Errorf("its own session is %+v", got)
		}
		w.Pass(identity.ProofLasts)
		if got := w.proven(aigul, "first"); got.ID != "" {
			t.Errorf("it has no end: %+v", got)
		}
	})
}

// TestTextsEndBySilence: they have no session that ends, so that who texts from the phone in the
// evening is not taken for who did at noon.
func TestTextsEndBySilence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		text := func() caller.Caller {
			c := w.in(aigul, "")
			c.Channel = caller.SMS
			return c
		}
		proven := func() identity.Citizen {
			citizen, _, err := w.service.Proof(t.Context(), text())
			w.OK(err)
			return citizen
		}
		w.OK(w.send(text()))
		w.OK(w.check(text(), w.code(aigul)))
		her, err := w.service.Prove(t.Context(), text(), aigulPIN, aigulDocument)
		w.OK(err)
		for range 3 {
			w.Pass(silence - time.Second)
			if got := proven(); got != her {
				t.Fatalf("the next text is %+v", got)
			}
		}
		w.Pass(silence)
		if got := proven(); got.ID != "" {
			t.Errorf("a text of the evening is %+v", got)
		}
	})
}

// TestASecretLeavesNoSilence: who has one on the phone types it in each call; until it is removed
// it holds for their proofs from before too.
func TestASecretLeavesNoSilence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.service.ProveByCode(t.Context(), w.in(aigul, "first"), w.enrol(aigul))
		w.OK(err)
		w.OK(w.service.SetSecret(t.Context(), w.in(aigul, "first"), "", herSecret))
		if w.proven(aigul, "first").Level != caller.LevelStrong || w.proven(aigul, "second").ID != "" {
			t.Error("the proof is not of its session alone")
		}
		if held := w.held(aigul, "second", w.proven(aigul, "first")); held {
			t.Error("another session holds it")
		}
		_, err = w.service.ProveBySecret(t.Context(), w.in(aigul, "second"), herSecret)
		w.OK(err)
		if w.proven(aigul, "second").Level != caller.LevelStrong || !w.held(aigul, "second", w.proven(aigul, "second")) {
			t.Error("the secret proved nobody")
		}
		w.OK(w.service.RemoveSecret(t.Context(), w.in(aigul, "second"), herSecret))
		if w.proven(aigul, "third").Level != caller.LevelStrong {
			t.Error("without a secret a call that dropped costs the proof")
		}
	})
}

// TestAnAppHasItsOwnProofs: a device that was signed in once on the number, which may be anywhere,
// is not who proves themselves on the phone.
func TestAnAppHasItsOwnProofs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		device := w.device(aigul, "")
		who, err := w.service.Authenticate(t.Context(), device.Access)
		w.OK(err)
		app := w.in(aigul, who.SignIn)
		app.Channel = caller.REST
		inApp := func() identity.Citizen {
			citizen, _, err := w.service.Proof(t.Context(), app)
			w.OK(err)
			return citizen
		}
		her := w.proves(aigul, "call")
		if got := inApp(); got.ID != "" {
			t.Errorf("the app is %+v, who dialled", got)
		}
		held := app
		held.Subject, held.Level = her.ID, her.Level
		w.OK(w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			if held, err := w.service.HoldProof(t.Context(), tx, held); err != nil || held {
				t.Errorf("the app holds it: %t, %v", held, err)
			}
			return nil
		}))
		if who, err = w.service.Authenticate(t.Context(), device.Access); err != nil || who.CitizenID != "" {
			t.Errorf("its token is of %+v, %v", who, err)
		}
		w.Pass(silence)
		_, err = w.service.Prove(t.Context(), app, aigulPIN, aigulDocument)
		w.OK(err)
		if got := inApp(); got.ID != her.ID {
			t.Errorf("the app is %+v", got)
		}
	})
}

// held reports that a session of a phone holds somebody's proof.
func (w *world) held(phone, session string, citizen identity.Citizen) (held bool) {
	w.T.Helper()
	c := w.in(phone, session)
	c.Subject, c.Level = citizen.ID, citizen.Level
	w.OK(w.DB.InTx(w.T.Context(), func(tx *store.Tx) (err error) { held, err = w.service.HoldProof(w.T.Context(), tx, c); return err }))
	return held
}

// signedIn is the caller of a device that is signed in on a phone.
func (w *world) signedIn(phone, device string) caller.Caller {
	w.T.Helper()
	who, err := w.service.Authenticate(w.T.Context(), w.device(phone, device).Access)
	w.OK(err)
	c := w.in(phone, who.SignIn)
	c.Channel = caller.REST
	return c
}

// TestACodeIsOfTheAppItWasTypedIn: a device that was signed in before, and that may be anybody's by
// now, proves nobody by a code that the phone's owner types in a call or in another app.
func TestACodeIsOfTheAppItWasTypedIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		old := w.signedIn(aigul, "a tablet that was lent")
		proves := func(c caller.Caller) error {
			c.Now = w.Now()
			_, err := w.service.Prove(t.Context(), c, aigulPIN, aigulDocument)
			return err
		}
		w.Pass(identity.VerifiedLasts)
		w.refused(proves(old), "code_needed")
		w.verify(aigul)
		w.refused(proves(old), "code_needed")
		w.Pass(identity.CodesPer)
		other := w.signedIn(aigul, "Redmi 9A")
		w.refused(proves(old), "code_needed")
		stranger := other
		stranger.Phone = bakyt
		w.refused(proves(stranger), "code_needed")
		w.OK(proves(other))
	})
}

// TestNobodyHasAnAppsProof: who dials or texts proves by the phone, and an app has no call's, also
// where the clock of the instance that noted its use goes before ours.
func TestNobodyHasAnAppsProof(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		app := w.signedIn(aigul, "Redmi 9A")
		_, err := w.service.Prove(t.Context(), app, aigulPIN, aigulDocument)
		w.OK(err)
		for _, session := range []string{"call", ""} {
			if got := w.proven(aigul, session); got.ID != "" {
				t.Errorf("%q is proved by an app: %+v", session, got)
			}
		}
		w.Pass(identity.CodesPer)
		other := w.signedIn(aigul, "a tablet that was lent")
		her := w.proves(aigul, "call")
		ahead := w.Now().Add(8 * time.Second).UnixMicro()
		w.OK(w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_proofs SET used_at = $1", ahead)
			return err
		}))
		if got, ok, err := w.service.Proof(t.Context(), other); ok || err != nil {
			t.Errorf("an app is proved by a call: %+v, %v", got, err)
		}
		if got := w.proven(aigul, "another call"); got != her {
			t.Errorf("another call is %+v", got)
		}
	})
}

// TestEachSessionHasItsPerson: who proves who they are in an app or a call takes nobody's place in
// another; a new call is of who was proved last.
func TestEachSessionHasItsPerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.proves(aigul, "hers")
		w.Pass(time.Second)
		him, err := w.service.Prove(t.Context(), w.in(aigul, "his"), bakytPIN, bakytDocument)
		w.OK(err)
		for session, want := range map[string]identity.Citizen{"hers": her, "his": him, "new": him} {
			if got := w.proven(aigul, session); got != want {
				t.Errorf("the session %s is %+v", session, got)
			}
		}
		w.OK(w.service.Forget(t.Context(), w.in(aigul, "new")))
		for _, session := range []string{"hers", "his", "new"} {
			if got := w.proven(aigul, session); got.ID != "" {
				t.Errorf("the phone forgot, and the session %s is %+v", session, got)
			}
		}
	})
}

// TestAWeakProofTakesNothing: the numbers of a card, typed in an app while a strong proof of the
// same person is good there, leave them proved strongly, and so does the session of the strong one.
func TestAWeakProofTakesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.service.ProveByCode(t.Context(), w.in(aigul, "call"), w.enrol(aigul))
		w.OK(err)
		w.Pass(time.Second)
		w.proves(aigul, "app")
		for _, session := range []string{"call", "app"} {
			if got := w.proven(aigul, session); got.Level != caller.LevelStrong {
				t.Errorf("the session %s is at the level %s", session, got.Level)
			}
		}
	})
}

// TestTheEndOfASignInEndsProofs: in all sessions of the phone, as its word does; and what an app
// asks by itself keeps no proof good elsewhere.
func TestTheEndOfASignInEndsProofs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tokens := w.device(aigul, "Redmi 9A")
		who, err := w.service.Authenticate(t.Context(), tokens.Access)
		w.OK(err)
		signIn := who.SignIn
		_, err = w.service.Prove(t.Context(), w.in(aigul, signIn), aigulPIN, aigulDocument)
		w.OK(err)
		for range 3 {
			w.Pass(silence / 5)
			if who, err := w.service.Authenticate(t.Context(), tokens.Access); err != nil || who.CitizenID == "" {
				t.Fatalf("the app is %+v, %v", who, err)
			}
		}
		w.Pass(silence * 2 / 5)
		if got := w.proven(aigul, "call"); got.ID != "" {
			t.Errorf("an app that asks has a call be %+v", got)
		}
		w.proves(aigul, "call")
		w.OK(w.service.SignOut(t.Context(), w.in(aigul, signIn), signIn))
		if got := w.proven(aigul, "call"); got.ID != "" {
			t.Errorf("the sign-in ended, and the call is %+v", got)
		}
	})
}

// TestARevivedProofIsNamed: who writes to the database does not undo the end of a proof unseen,
// and while a dispute holds the phone off not at all.
func TestARevivedProofIsNamed(t *testing.T) {
	t.Parallel()
	const revive = "UPDATE identity_proofs SET expires_at = proved_at + 43200000000"
	for name, end := range map[string]func(w *world, signIn string) error{
		"forgotten": func(w *world, _ string) error { return w.service.Forget(w.T.Context(), w.in(aigul, "call")) },
		"signed out": func(w *world, signIn string) error {
			return w.service.SignOut(w.T.Context(), w.in(aigul, signIn), signIn)
		},
		"released": func(w *world, _ string) error {
			return w.service.Release(w.T.Context(), staff.Act{Actor: "operator"}, aigul)
		},
		"undone": func(w *world, _ string) error { w.undo(aigul, ""); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				who, err := w.service.Authenticate(t.Context(), w.device(aigul, "Redmi 9A").Access)
				w.OK(err)
				w.prove(second)
				w.proves(aigul, "call")
				w.Pass(time.Minute)
				w.OK(end(w, who.SignIn))
				w.fsck(name)
				w.changed("outlives what ended it", revive)
				if name != "undone" {
					return
				}
				_, err = db.Writer().ExecContext(t.Context(), revive)
				w.OK(err)
				if got := w.proven(aigul, "call"); got.ID != "" {
					t.Errorf("in a dispute the phone is %+v", got)
				}
			})
		})
	}
}

// TestACallThatDroppedGoesOn: "1 Continue" asks for nothing again while the proof was used a short
// while ago, and for the secret at once where there is one; later the card is asked for.
func TestACallThatDroppedGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		flow := ofWhom(w)
		flow.Nodes[0].Resume = flow.Entry.Next
		k := newDiallerOf(w, aigul, flow)
		w.proves(aigul, "call-1")
		k.dial()
		k.say("1", "Айгүл А.")
		w.Pass(silence - time.Second)
		k.breakOff("Всё о вас\nАйгүл А.")
		w.Pass(silence)
		k.breakOff("Введите код из SMS")
		w.OK(w.service.Forget(t.Context(), w.by(aigul)))
		_, err := w.service.ProveByCode(t.Context(), w.in(aigul, "desk"), w.enrol(aigul))
		w.OK(err)
		w.OK(w.service.SetSecret(t.Context(), w.in(aigul, "desk"), "", herSecret))
		k.dial()
		k.say("1", "секретный код")
		k.say(herSecret, "Айгүл А.")
		k.breakOff("Введите ваш секретный код")
	})
}
