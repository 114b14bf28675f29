package certificate_test

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// narrow is a USSD screen: 182 septets or 80 characters (3GPP TS 23.038, 3GPP TS
// 24.090).
var narrow = dialog.Budget{Septets: 182, Units: 80}

// conversation is a conversation with the service, whose identification is a node that
// returns at once.
type conversation struct {
	t      *testing.T
	engine *dialog.Engine
	state  dialog.State
	caller caller.Caller
	turn   int
	budget dialog.Budget
}

func newConversation(t *testing.T, h *world, loc locales.Locale) *conversation {
	t.Helper()
	passes := dialog.Flow{Name: "identity", Nodes: []dialog.Node{{
		ID: identity.NodeStrong,
		Do: func(context.Context, *dialog.Turn) (dialog.Next, error) {
			h.proofs.weak = false
			return dialog.Return(), nil
		},
	}}}
	c := aigul("")
	c.Subject, c.Locale = "", loc
	engine := must[*dialog.Engine](t)(dialog.New(h.Texts, dialog.Options{Profiles: profile{}, Log: slog.New(slog.DiscardHandler)}, h.Flow(), passes))
	return &conversation{t: t, engine: engine, caller: c, state: dialog.State{Locale: loc}, budget: narrow}
}

func (k *conversation) next(in dialog.Input) string {
	k.t.Helper()
	k.turn++
	k.caller.Key = strings.Repeat("t", k.turn)
	in.Budget = k.budget
	reply, err := k.engine.Next(k.t.Context(), k.caller, &k.state, in)
	if err != nil {
		k.t.Fatal(err)
	}
	if !k.budget.Fits(reply.Text) {
		k.t.Errorf("too long for a screen: %q", reply.Text)
	}
	k.t.Logf("%q → %q", in.Text, reply.Text)
	return reply.Text
}

func (k *conversation) start(message string) string {
	return k.next(dialog.Input{Start: true, Text: message})
}
func (k *conversation) say(text string) string { return k.next(dialog.Input{Text: text}) }

var shown = regexp.MustCompile(`[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{3}`)

// TestConversation gets a certificate by dialling, and verifies it by dialling and by a
// message, each screen on one page.
func TestConversation(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			k := newConversation(t, h, loc)
			k.start("")
			k.say("1")
			k.say("1")
			number := shown.FindString(k.say("2"))
			if number == "" {
				t.Fatal("no number on the last screen")
			}
			again := newConversation(t, h, loc)
			again.start("")
			again.say("1")
			again.say("2")
			if got := again.say("K7MN"); !strings.Contains(got, "11") {
				t.Errorf("a wrong number gives %q", got)
			}
			// S1: beside the verdict stands what the number cannot tell; then the holder.
			got := again.say(strings.ToLower(number))
			if !strings.Contains(got, "QR") || !strings.Contains(got, "23.11.2026") {
				t.Errorf("the check gives %q", got)
			}
			if got += again.say("9"); !strings.Contains(got, "1988") { // in Latin all is one page
				t.Errorf("the check goes on with %q", got)
			}
			for _, word := range []string{"ТЕКШЕР ", "проверить ", "Teksher "} {
				texted := newConversation(t, h, loc)
				if got := texted.start(word+number) + texted.say("9"); !strings.Contains(got, "1988") || !strings.Contains(got, "QR") {
					t.Errorf("%s gives %q", word, got)
				}
			}
			if got := newConversation(t, h, loc).start("текшер " + certificate.AnyNumber(t)); strings.Contains(got, "1988") {
				t.Errorf("a number that nobody has gives %q", got)
			}
		})
	}
}

// TestAStrongProofThatEndedIsMadeAgain: where it ended while the kind was chosen, the step up is in
// the middle, and the certificate that was chosen is made.
func TestAStrongProofThatEndedIsMadeAgain(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, h, locales.RU)
	k.start("")
	k.say("1")
	k.say("1")
	h.proofs.weak = true
	if got := k.say("2"); shown.FindString(got) == "" || h.proofs.weak {
		t.Errorf("what was chosen gives %q", got)
	}
}

// TestTheRightNumberAfterAWrongOne (B5): a number that nobody has leaves the question
// open.
func TestTheRightNumberAfterAWrongOne(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, h, locales.RU)
	k.start("")
	k.say("1")
	k.say("1")
	number := shown.FindString(k.say("2"))
	k.start("")
	k.say("1")
	k.say("2")
	for range 2 {
		if got := k.say(certificate.AnyNumber(t)); strings.Contains(got, "QR") {
			t.Fatalf("a number that nobody has gives %q", got)
		}
	}
	if got := k.say(number); !strings.Contains(got, "QR") {
		t.Errorf("the right number gives %q", got)
	}
}

// profile forgets the languages of phones.
type profile struct{}

func (profile) SetLocale(context.Context, string, locales.Locale, string) error { return nil }
