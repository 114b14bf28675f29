package identity_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// dialler is somebody who dials a service that calls identification.
type dialler struct {
	*world
	engine *dialog.Engine
	phone  string
	state  *dialog.State
	kept   []string // every state, encoded
	turns  int
	calls  int

	channel caller.Channel // empty: USSD
	budget  dialog.Budget  // zero: a USSD screen
}

func newDialler(w *world, phone string) *dialler {
	w.T.Helper()
	return newDiallerOf(w, phone, dialog.Flow{
		Name:  "trial",
		Entry: dialog.Option{Label: dialog.Say("identity.again"), Next: dialog.Call(identity.NodeStart, "trial.end")},
		Nodes: []dialog.Node{{ID: "trial.end", Show: func(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
			if _, ok, err := w.service.Proof(ctx, t.Caller); err != nil || !ok {
				return dialog.Screen{}, problem.New(problem.Internal, "problem.internal").Because(err)
			}
			return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "Готово")}, End: true}, nil
		}}},
	})
}

// newDiallerOf dials a service of a test's own.
func newDiallerOf(w *world, phone string, flow dialog.Flow) *dialler {
	w.T.Helper()
	catalogue, err := locales.Load()
	w.OK(err)
	engine, err := dialog.New(catalogue, dialog.Options{Profiles: w.service, Log: w.deps.Log, Resumed: w.service.Resumed}, flow, w.service.Flow())
	w.OK(err)
	return &dialler{world: w, engine: engine, phone: phone, state: dialog.NewState(locales.RU)}
}

// dial begins anew, as after a call that dropped.
func (k *dialler) dial() {
	k.T.Helper()
	k.calls++
	k.state = dialog.NewState(locales.RU)
	k.turn(dialog.Input{Start: true})
}

func (k *dialler) turn(in dialog.Input) string {
	k.T.Helper()
	k.turns++
	c := k.by(k.phone)
	c.Key = fmt.Sprint("turn-", k.turns)
	if c.Channel = cmp.Or(k.channel, c.Channel); c.Channel == caller.USSD {
		c.Session = fmt.Sprint("call-", k.calls)
	}
	in.Budget = cmp.Or(k.budget, dialog.Budget{Septets: 182, Units: 80})
	reply, err := k.engine.Next(k.T.Context(), c, k.state, in)
	k.OK(err)
	k.kept = append(k.kept, string(k.state.Encode()), reply.Text)
	return reply.Text
}

// say types text and wants a screen that contains want.
func (k *dialler) say(text, want string) {
	k.T.Helper()
	if got := k.turn(dialog.Input{Text: text}); !strings.Contains(got, want) {
		k.T.Fatalf("after %d turns the screen is %q, want %q", k.turns, got, want)
	}
}

func TestConversation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS")
		k.say("12345", "6 цифр")
		k.dial() // the line dropped while the SMS was under way
		k.say("1", "Код из SMS ещё действует. Введите его")
		if n := w.Number("SELECT COUNT(*) FROM identity_codes"); n != 1 {
			t.Fatalf("%d codes were sent, one was enough", n)
		}
		k.say(w.code(aigul), "Введите персональный номер (ПИН, 14 цифр)")
		k.dial() // and while the citizen looked for the card
		k.say("1", "Введите персональный номер (ПИН, 14 цифр)")
		k.say("1150", "14 цифр")
		k.say(aigulPIN, "номер ID-карты")
		k.say("1234", "ID1234567")
		k.say(bakytDocument, "не совпадают")
		k.say("1", "Введите персональный номер (ПИН, 14 цифр)")
		k.say(aigulPIN, "номер ID-карты")
		w.Pass(identity.AttemptLasts)
		k.say(aigulDocument, "Введите персональный номер (ПИН, 14 цифр)") // too late: once more
		k.say(aigulPIN, "номер ID-карты")
		w.register.down = true
		k.turn(dialog.Input{Text: aigulDocument})
		w.register.down = false
		k.say(aigulDocument, "Готово")
		if len(k.state.Memory["identity.attempt"]) > 0 {
			t.Error("the attempt is still in the conversation's memory")
		}
		k.dial() // the proof is known
		k.say("1", "Готово")
	})
}

// TestACodeLivesThroughBrokenLines is B1: reading the message with the code drops
// the session, and the citizen goes on where they were, or begins anew. However
// often, it costs neither the code nor a try nor the right to another code.
func TestACodeLivesThroughBrokenLines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS")
		code := w.code(aigul)
		k.say(wrong(code), "Ещё попыток: 4")
		for range 2 * identity.CodesAtMost {
			k.breakOff("Код из SMS ещё действует. Введите его\n1 Новый код")
			k.dial()
			k.say("1", "Код из SMS ещё действует. Введите его\n1 Новый код")
			w.Pass(time.Minute)
		}
		if n := w.Number("SELECT COUNT(*) FROM identity_codes"); n != 1 {
			t.Fatalf("%d codes were sent, one was enough", n)
		}
		k.say(wrong(code), "Ещё попыток: 3") // the guess before counts on
		k.say(code, "Введите персональный номер (ПИН, 14 цифр)")
		k.breakOff("Введите персональный номер (ПИН, 14 цифр)") // to find the passport
		k.say(aigulPIN, "номер ID-карты")
		k.breakOff("Введите персональный номер (ПИН, 14 цифр)")
		k.say(aigulPIN, "номер ID-карты")
		k.say(aigulDocument, "Готово")
		if n := w.Number("SELECT COUNT(*) FROM identity_codes"); n != 1 {
			t.Fatalf("%d codes were sent, one was enough", n)
		}
	})
}

// TestACodeThatIsOverIsSentAnew is the other side of B1: what is redialled when the
// code ran out, or its guesses did, sends another, as often as a phone may have one.
func TestACodeThatIsOverIsSentAnew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS")
		w.Pass(identity.CodeLasts + time.Second)
		k.say(w.code(aigul), "недействителен")
		k.breakOff("Введите код из SMS\n1 Новый код")
		w.Pass(time.Second)
		bad := wrong(w.code(aigul))
		for range identity.CodeTries {
			k.turn(dialog.Input{Text: bad})
		}
		k.breakOff("Введите код из SMS\n1 Новый код")
		k.say("1", "Введите код из SMS\n1 Новый код") // asked for: what is lived through is not said
		if n := w.Number("SELECT COUNT(*) FROM identity_codes WHERE void_at IS NULL AND tries < 5"); n != 1 {
			t.Fatalf("%d codes are not void, want the last alone", n)
		}
		w.Pass(time.Second)
		for range identity.CodeTries {
			k.turn(dialog.Input{Text: wrong(w.code(aigul))})
		}
		k.breakOff("За 10 минут кодов не больше 3") // three in ten minutes
	})
}

// TestWhoWasProvedIsProvedAgain: what a code shows outlives a broken line, who the
// citizen is does not, and of a number's earlier holder nothing does.
func TestWhoWasProvedIsProvedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		w.verify(aigul)
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.OK(err)
		k.dial()
		k.say("1", "Готово")
		w.Pass(20 * time.Minute)
		k.dial()
		k.say("1", "Введите персональный номер (ПИН, 14 цифр)")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "staff"}, aigul))
		k.dial()
		k.say("1", "Введите код из SMS\n1")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "staff"}, aigul)) // a living code is not inherited
		k.say(w.code(aigul), "недействителен")
	})
}

// breakOff dials again after the line broke and goes on; the screen must begin with
// want.
func (k *dialler) breakOff(want string) {
	k.T.Helper()
	earlier := k.engine.Dropped(k.state)
	if earlier == nil {
		k.T.Fatalf("after %d turns there is nothing to continue", k.turns)
	}
	k.calls++
	k.state = dialog.NewState(locales.RU)
	k.turn(dialog.Input{Start: true, Earlier: earlier})
	if got := k.turn(dialog.Input{Text: "1"}); !strings.HasPrefix(got, want) {
		k.T.Fatalf("after %d turns the conversation goes on with %q, want %q", k.turns, got, want)
	}
}

func TestConversationOfAVoidCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS")
		bad := wrong(w.code(aigul))
		for left := identity.CodeTries - 1; left > 0; left-- {
			k.say(bad, fmt.Sprint("Ещё попыток: ", left))
		}
		k.say(bad, "недействителен")
		w.Pass(time.Second)
		k.say("1", "Введите код из SMS")
		k.say(w.code(aigul), "Введите персональный номер (ПИН, 14 цифр)")
	})
}

// TestTheLastCodeIsStillTaken: who asks for one code too many stays where the last
// one is taken, as long as it lives; when it does not, another may be asked for.
func TestTheLastCodeIsStillTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS\n1 Новый код")
		for range identity.CodesAtMost - 1 {
			w.Pass(time.Second)
			k.say("1", "Введите код из SMS\n1 Новый код")
		}
		const last = "Новых кодов пока не будет. Последний код действует: введите его\n0 Назад"
		k.say("1", last)
		code := w.code(aigul)
		k.say(wrong(code), "Ещё попыток: 4\nВведите код из SMS\n1 Новый код")
		k.say("1", last)
		k.breakOff("Код из SMS ещё действует. Введите его\n1 Новый код")
		k.say("1", last)
		k.say("0", "1 Ввести ПИН снова") // one step back, however often a code was asked for
		k.say("1", "Код из SMS ещё действует")
		k.say("мой код "+code[:3]+" "+code[3:], "Введите персональный номер (ПИН, 14 цифр)")
		k.forgot(code)
	})
}

// TestACodeTypedInsteadOfContinue: a code that lives is taken where the conversation that it
// was for is only offered again, over either channel, typed, dialled or texted; what
// looks like one and is over costs no try of the new one.
func TestACodeTypedInsteadOfContinue(t *testing.T) {
	offer := func(k *dialler, in dialog.Input) string {
		in.Start, in.Earlier = true, k.engine.Dropped(k.state)
		k.state = dialog.NewState(locales.RU)
		return k.turn(in)
	}
	typed := func(k *dialler, text string) string {
		offer(k, dialog.Input{})
		return k.turn(dialog.Input{Text: text})
	}
	for name, c := range map[string]struct {
		channel caller.Channel
		say     func(k *dialler, code string) string
	}{
		"typed":           {caller.USSD, typed},
		"in words":        {caller.USSD, func(k *dialler, code string) string { return typed(k, "мой код "+code) }},
		"dialled":         {caller.USSD, func(k *dialler, code string) string { return offer(k, dialog.Input{Dialled: []string{code}}) }},
		"texted":          {caller.SMS, typed},
		"texted in words": {caller.SMS, func(k *dialler, code string) string { return typed(k, "код: "+code[:3]+"-"+code[3:]) }},
		"begins a conversation": {caller.SMS, func(k *dialler, code string) string {
			return offer(k, dialog.Input{Text: "менин кодум " + code})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				k := newDialler(w, aigul)
				k.dial()
				k.say("1", "Введите код из SMS")
				k.channel = c.channel
				over := w.code(aigul)
				w.Pass(identity.CodeLasts + time.Second)
				if got, want := c.say(k, over), "Тот код не действует. Введите новый код из SMS\n1 Новый код"; !strings.HasPrefix(got, want) {
					t.Errorf("a code that is over: %q, want %q", got, want)
				}
				if n := w.Number("SELECT COUNT(*) FROM identity_codes WHERE tries = 0"); n != 2 {
					t.Errorf("%d codes are untried, want both", n)
				}
				code := w.code(aigul)
				if got, want := c.say(k, wrong(code)), "Код неверен. Ещё попыток: 4\nВведите код из SMS\n1 Новый код"; !strings.HasPrefix(got, want) {
					t.Errorf("another code: %q, want %q", got, want)
				}
				if got := c.say(k, code); !strings.HasPrefix(got, "Введите персональный номер") {
					t.Errorf("the code: %q", got)
				}
				k.forgot(code)
				if got := c.say(k, aigulPIN); !strings.HasPrefix(got, "Введите номер ID-карты") {
					t.Errorf("the personal number: %q", got)
				}
				k.forgot(aigulPIN)
			})
		})
	}
}

// forgot looks for a secret in all that was kept.
func (k *dialler) forgot(secret string) {
	k.T.Helper()
	if strings.Contains(strings.Join(k.kept, "\n"), secret) {
		k.T.Errorf("%q is kept", secret)
	}
}

// TestTheQuestionStaysBelowARefusal: after a wrong code the screen still says what is
// asked for, on the smallest screens too.
func TestTheQuestionStaysBelowARefusal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for i, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn, locales.EN} {
			for j, budget := range []dialog.Budget{{Septets: 182, Units: 80}, {Septets: 160, Units: 70}} {
				w := newWorld(t, db)
				k := newDialler(w, fmt.Sprintf("+99655500%02d%02d", 40+i, j))
				k.budget, k.state = budget, dialog.NewState(loc)
				k.turn(dialog.Input{Start: true})
				k.turn(dialog.Input{Text: "1"})
				earlier := k.engine.Dropped(k.state)
				k.state = dialog.NewState(loc)
				k.turn(dialog.Input{Start: true, Earlier: earlier})
				k.turn(dialog.Input{Text: "1"})
				catalogue, err := locales.Load()
				w.OK(err)
				question := catalogue.Text(loc, "identity.ask_code")
				for _, text := range []string{wrong(w.code(k.phone)), "12345", "мой код 123456 или 123457"} {
					if got := k.turn(dialog.Input{Text: text}); !strings.Contains(got, "\n"+question+"\n1 ") {
						t.Errorf("%s, %v: after %q the question is gone: %q", loc, budget, text, got)
					}
				}
				if n := w.Number("SELECT COUNT(*) FROM identity_codes WHERE tries > 1"); n != 0 {
					t.Errorf("%s: what is no code cost a try", loc)
				}
			}
		}
	})
}

// TestCanary sends everything that is secret through every step and then looks
// for it wherever something is kept.
func TestCanary(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newDialler(w, aigul)
		k.dial()
		k.say("1", "Введите код из SMS")
		code := w.code(aigul)
		k.say(wrong(code), "Код неверен")
		k.say(code, "Введите персональный номер (ПИН, 14 цифр)")
		k.say(bakytPIN, "номер ID-карты")
		k.say(aigulDocument, "не совпадают")
		k.say("1", "Введите персональный номер (ПИН, 14 цифр)")
		k.say(aigulPIN, "номер ID-карты") // an open attempt in the database
		middle := storetest.Dump(t, db)
		k.say(aigulDocument, "Готово")
		w.OK(w.Queue.Start(t.Context()))
		defer func() { _ = w.Queue.Stop(context.Background()) }()
		for deadline := time.Now().Add(20 * time.Second); w.Number("SELECT COUNT(*) FROM notify_messages WHERE state = 'sent'") == 0; {
			if time.Now().After(deadline) {
				t.Fatal("the code was not sent in 20 s")
			}
			<-time.After(20 * time.Millisecond)
		}
		w.OK(w.Queue.Stop(context.Background()))
		kept := strings.Join(k.kept, "\n") + w.Logs.String() + middle + storetest.Dump(t, db)
		if len(kept) < 10_000 || !strings.Contains(kept, "identity.proof.done") {
			t.Fatalf("only %d characters are kept: the test looks in the wrong place", len(kept))
		}
		text := w.Phones.Sent()[0].Text
		if !strings.Contains(text, code) {
			t.Fatalf("the message has no code")
		}
		for name, secret := range map[string]string{
			"phone": aigul[1:], "PIN": aigulPIN, "other PIN": bakytPIN, "document": aigulDocument, "code": code, "text": "Никому его не говорите",
		} {
			for form, value := range map[string]string{
				"": secret, "hexadecimal": hex.EncodeToString([]byte(secret)),
				"base64": base64.RawStdEncoding.EncodeToString([]byte(secret))[:len(secret)],
			} {
				if at := strings.Index(kept, value); at >= 0 && !(name == "code" && form == "" && digitsAround(kept, at)) {
					t.Errorf("the %s is kept in plain %s: …%q…", name, form, kept[max(0, at-60):at+len(value)])
				}
			}
		}
	})
}

// digitsAround reports that the six digits at a place are part of a longer
// number or word: a moment or a random id, not a code.
func digitsAround(text string, at int) bool {
	const alphanumeric = "0123456789abcdefABCDEF"
	return at > 0 && strings.IndexByte(alphanumeric, text[at-1]) >= 0 ||
		at+6 < len(text) && strings.IndexByte(alphanumeric, text[at+6]) >= 0
}

// TestF11TheWordOfUndoActsAtOnce: before the language is chosen, on the question for
// it, beside a conversation that broke off, and where a secret is asked for.
func TestF11TheWordOfUndoActsAtOnce(t *testing.T) {
	asked := func(k *dialler, loc locales.Locale, texts ...string) {
		k.state = dialog.NewState(loc)
		k.turn(dialog.Input{Start: true})
		for _, text := range texts {
			k.turn(dialog.Input{Text: text})
		}
	}
	for name, before := range map[string]func(k *dialler) dialog.Input{
		"no conversation": func(k *dialler) dialog.Input {
			k.state = dialog.NewState("")
			return dialog.Input{Start: true}
		},
		"the language is asked for": func(k *dialler) dialog.Input {
			asked(k, "")
			return dialog.Input{}
		},
		"a conversation broke off": func(k *dialler) dialog.Input {
			asked(k, locales.RU, "1")
			earlier := k.state
			k.state = dialog.NewState("")
			return dialog.Input{Start: true, Earlier: earlier}
		},
		"a personal number is asked for": func(k *dialler) dialog.Input {
			asked(k, locales.RU, "1")
			return dialog.Input{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.prove(aigul)
				w.Pass(time.Minute)
				w.prove(second)
				w.OK(w.service.Forget(t.Context(), w.by(aigul))) // so that a conversation asks for the number
				k := newDialler(w, aigul)
				in := before(k)
				k.channel, in.Text = caller.SMS, noticeNumber.FindString(w.notices(aigul)[0])
				if screen := k.turn(in); w.proved(second) {
					t.Errorf("the other phone is still proved; the screen: %q", screen)
				}
			})
		})
	}
}

// Both numbers in one text are taken, whichever of them was asked for, and neither is shown
// or kept.
func TestBothNumbersInOneText(t *testing.T) {
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			w := newWorld(t, db)
			k := newDialler(w, aigul)
			if channel == caller.SMS {
				k.channel, k.budget = channel, dialog.Budget{Septets: 459, Units: 201}
			}
			for _, typed := range []string{aigulPIN + " " + aigulDocument, aigulDocument + "\n" + aigulPIN, "ИНН " + aigulPIN + ", карта 1000001", aigulPIN + aigulDocument} {
				for _, first := range []string{"", bakytPIN} {
					k.dial()
					k.say("1", "Введите код из SMS")
					k.say(w.code(aigul), "Введите персональный номер (ПИН, 14 цифр)")
					if first != "" {
						k.say(first, "номер ID-карты")
					}
					k.say(aigulPIN+" "+bakytDocument, "не совпадают")
					k.say("1", "Введите персональный номер (ПИН, 14 цифр)")
					if first != "" {
						k.say(first, "номер ID-карты")
					}
					k.say(typed, "Готово")
					w.OK(w.service.Forget(t.Context(), k.by(aigul)))
					w.Pass(24 * time.Hour)
				}
			}
			for _, secret := range []string{aigulPIN, bakytPIN, aigulDocument, bakytDocument, "1000001"} {
				k.forgot(secret)
			}
		})
	}
}
