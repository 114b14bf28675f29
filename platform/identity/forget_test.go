package identity_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// ofWhom is a service whose screen rests on a proof.
func ofWhom(w *world) dialog.Flow {
	const node = "trial.whose"
	return dialog.Flow{
		Name: "trial", Entry: dialog.Option{Label: dialog.Say("identity.again"), Next: dialog.Call(identity.NodeStart, node)},
		Nodes: []dialog.Node{{ID: node, Show: func(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
			citizen, _, err := w.service.Proof(ctx, t.Caller)
			return identity.Named(dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "Всё о вас")}}, citizen, node), err
		}}},
	}
}

// acting is a service that does something for whom its screen names.
func acting(w *world, done *[]string) dialog.Flow {
	const node, act, end = "trial.whose", "trial.act", "trial.end"
	flow := ofWhom(w)
	flow.Nodes = []dialog.Node{
		{ID: node, Show: func(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
			citizen, _, err := w.service.Proof(ctx, t.Caller)
			return identity.Named(dialog.Screen{
				Body:    []dialog.Message{dialog.Raw("title", "Всё о вас")},
				Options: []dialog.Option{{Label: dialog.Raw("title", "Сделать"), Next: dialog.Go(act)}},
			}, citizen, node), err
		}},
		{ID: act, Do: func(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
			citizen, _, err := w.service.Proof(ctx, t.Caller)
			if err == nil {
				err = identity.Same(t, citizen.ID)
			}
			if err != nil {
				return dialog.Next{}, dialog.BackTo(node, err)
			}
			*done = append(*done, citizen.Called)
			return dialog.Done(end), nil
		}},
		{ID: end, Plain: func(*dialog.Turn) dialog.Screen {
			return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "сделано")}, End: true}
		}},
	}
	return flow
}

// TestASharedPhoneNamesWhom: on a phone of two people what rests on a proof says whose it
// is, the other one proves it without a code and without an app, and nobody is left proved
// where that fails.
func TestASharedPhoneNamesWhom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDiallerOf(w, aigul, ofWhom(w))
		k.dial()
		k.say("1", "Введите код из SMS")
		k.say(w.code(aigul), "персональный номер")
		k.say(aigulPIN, "номер ID-карты")
		k.say(aigulDocument, "Айгүл А.\n1 Это не я")
		k.dial()
		k.say("1", "Айгүл А.")
		k.say("1", "персональный номер") // the code was this phone's, and is not asked again
		k.dial()                         // the other one went away: nobody is proved
		k.say("1", "персональный номер")
		k.say(bakytPIN, "номер ID-карты")
		k.say(bakytDocument, "Токтогулов\n1 Это не я")
	})
}

// TestThePhoneForgets: by a word, in either language, wherever one is.
func TestThePhoneForgets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, word := range []string{"выход", "чыгуу", "Мени унут", "забудь меня"} {
			w.Pass(24 * time.Hour) // the codes of a day are bounded
			w.prove(aigul)
			k := newDiallerOf(w, aigul, ofWhom(w))
			k.channel = caller.SMS
			k.dial()
			k.say("1", "Айгүл А.")
			if got := k.turn(dialog.Input{Text: word}); !strings.Contains(got, "больше не помнит") {
				t.Fatalf("%s: %q", word, got)
			}
			if _, proved, err := w.service.Proof(t.Context(), w.by(aigul)); proved || err != nil {
				t.Fatalf("%s: proved %v, %v", word, proved, err)
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.forget.done'"); n != 4 {
			t.Errorf("the audit log tells of %d", n)
		}
	})
}

// TestForgettingEndsAProofUnderWay: a proof that waits for the register, in an app say, does
// not come behind the answer that nobody is remembered.
func TestForgettingEndsAProofUnderWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.verify(aigul)
		asked, goOn := make(chan struct{}), make(chan struct{})
		w.register.hold = func() { close(asked); <-goOn }
		ended := make(chan error)
		go func() {
			_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
			ended <- err
		}()
		<-asked
		tie := &returns{}
		w.service.Tie(tie)
		w.OK(w.service.Forget(t.Context(), w.by(aigul)))
		if !slices.Equal(tie.forgot, []string{aigul}) {
			t.Errorf("what was sent to the phone goes on opening: %v", tie.forgot)
		}
		close(goOn)
		w.refused(<-ended, "attempt_over")
		if _, proved, err := w.service.Proof(t.Context(), w.by(aigul)); proved || err != nil {
			t.Errorf("proved %v, %v", proved, err)
		}
		if kept := w.Number("SELECT COUNT(*) FROM identity_attempts WHERE LENGTH(pin_sealed) > 0"); kept != 0 {
			t.Errorf("%d personal numbers are kept", kept)
		}
	})
}

// TestASharedPhoneChangesHands: what was chosen on a screen that names one of those who share
// a phone is not done for the other, who was proved in an app meanwhile.
func TestASharedPhoneChangesHands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		var done []string
		k := newDiallerOf(w, aigul, acting(w, &done))
		k.dial()
		k.say("1", "Айгүл А.")
		if _, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, bakytDocument); err != nil {
			t.Fatal(err)
		}
		k.say("1", "подтвердился другой человек")
		if len(done) != 0 {
			t.Fatalf("done for %q", done)
		}
		k.say("1", "сделано") // the screen names the other one by now
		if len(done) != 1 || done[0] != "Токтогулов" {
			t.Errorf("done for %q", done)
		}
	})
}
