package identity_test

import (
	"context"
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
