package identity_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// guests is how many callers come at once.
const guests = 64

func atOnce(n int, visit func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { visit(i) })
	}
	group.Wait()
}

func TestWrongGuessesAtOnceAreFive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.OK(w.send(w.by(aigul)))
		bad := wrong(w.code(aigul))
		var told atomic.Int64
		atOnce(guests, func(int) {
			err := w.check(w.by(aigul), bad)
			p := problem.From(err)
			switch p.Key {
			case "problem.identity_code_wrong":
				told.Add(1)
			case "problem.identity_code_void":
			default:
				t.Errorf("a guess gave %v", err)
			}
		})
		if tries := w.Number("SELECT tries FROM identity_codes"); tries != identity.CodeTries {
			t.Errorf("%d guesses were evaluated, want exactly %d", tries, identity.CodeTries)
		}
		if n := told.Load(); n != identity.CodeTries-1 {
			t.Errorf("%d guesses left others, want %d", n, identity.CodeTries-1)
		}
		w.refused(w.check(w.by(aigul), w.code(aigul)), "code_void")
	})
}

func TestRightGuessesAtOnceSucceedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.OK(w.send(w.by(aigul)))
		code := w.code(aigul)
		var successes atomic.Int64
		atOnce(guests, func(int) {
			switch err := w.check(w.by(aigul), code); {
			case err == nil:
				successes.Add(1)
			case problem.From(err).Key != "problem.identity_code_void":
				t.Errorf("a guess gave %v", err)
			}
		})
		if n := successes.Load(); n != 1 {
			t.Errorf("one code was used %d times", n)
		}
	})
}

func TestMixedGuessesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.OK(w.send(w.by(aigul)))
		code := w.code(aigul)
		var successes atomic.Int64
		atOnce(guests, func(i int) {
			guess := wrong(code)
			if i%8 == 0 {
				guess = code
			}
			if w.check(w.by(aigul), guess) == nil {
				successes.Add(1)
			}
		})
		if n := successes.Load(); n > 1 {
			t.Errorf("one code was used %d times", n)
		}
		if tries := w.Number("SELECT tries FROM identity_codes"); tries > identity.CodeTries {
			t.Errorf("%d guesses were evaluated", tries)
		}
	})
}

func TestCodesPerNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var sent atomic.Int64
		atOnce(guests, func(i int) {
			c := w.by(aigul)
			c.Key = fmt.Sprint("turn-", i)
			switch err := w.send(c); {
			case err == nil:
				sent.Add(1)
			case !errors.Is(err, problem.New("", "problem.identity_codes_many")) || problem.From(err).RetryAfter <= 0:
				t.Errorf("a request gave %v", err)
			}
		})
		if n := sent.Load(); n != identity.CodesAtMost {
			t.Errorf("%d codes were sent at once, want %d", n, identity.CodesAtMost)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages"); n != identity.CodesAtMost {
			t.Errorf("%d messages are in the outbox", n)
		}
		w.Pass(identity.CodesPer)
		w.OK(w.send(w.by(aigul)))
	})
}

func TestARepeatedTurnSendsOneCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		c := w.by(aigul)
		c.Key = "session-1/3"
		atOnce(8, func(int) { w.OK(w.send(c)) })
		if n := w.Number("SELECT COUNT(*) FROM identity_codes"); n != 1 {
			t.Errorf("one turn sent %d codes", n)
		}
		other := w.by(bakyt)
		other.Key = c.Key
		w.OK(w.send(other))
	})
}

func TestCodesOfOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for phone, key := range map[string]string{
			"": "phone_missing", "+77012345678": "phone_foreign", "+12025550100": "phone_foreign",
			"+99655500000": "phone_foreign", "0555000001": "phone_foreign", "+996055000001": "phone_foreign",
		} {
			w.refused(w.send(w.by(phone)), key)
			w.refused(w.check(w.by(phone), "123456"), key)
		}
		w.refused(w.check(w.by(aigul), "123456"), "code_void")
		w.OK(w.send(w.by(aigul)))
		first := w.code(aigul)
		w.refused(w.check(w.by(bakyt), first), "code_void")
		w.Pass(time.Second)
		w.OK(w.send(w.by(aigul)))
		if second := w.code(aigul); second != first {
			w.refused(w.check(w.by(aigul), first), "code_wrong")
		}
		w.refused(w.check(w.by(aigul), "12345"), "code_format")
		w.refused(w.check(w.by(aigul), "код"), "code_format")
		w.Pass(identity.CodeLasts)
		w.refused(w.check(w.by(aigul), w.code(aigul)), "code_void")
	})
}

// TestStrangersCannotLockAPhoneOut (S7): over REST anybody can name any phone, and
// the phone's own call does not hear of it.
func TestStrangersCannotLockAPhoneOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		stranger := w.by(aigul)
		stranger.Channel = caller.REST
		w.OK(w.send(stranger))
		first := w.code(aigul)
		for range 25 { // more than the flood limit
			w.OK(w.send(stranger))
		}
		w.refused(w.check(w.by(aigul), first), "code_void")
		w.OK(w.send(w.by(aigul)))
		own := w.code(aigul)
		for range identity.CodeTries + 1 {
			if w.check(stranger, wrong(first)) == nil {
				t.Error("a wrong guess was taken")
			}
		}
		w.refused(w.check(stranger, own), "code_void") // a code of the call is none for REST
		w.OK(w.check(w.by(aigul), own))
	})
}

func TestProve(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.refused(err, "code_needed")
		w.verify(aigul)
		_, err = w.service.Prove(t.Context(), w.by(aigul), "1150319880001", aigulDocument)
		w.refused(err, "pin_format")
		_, err = w.service.Prove(t.Context(), w.by(aigul), aigulPIN, "100")
		w.refused(err, "document_format")
		_, err = w.service.Prove(t.Context(), w.by(aigul), aigulPIN, bakytDocument)
		w.refused(err, "no_match")
		if _, ok, err := w.service.Proof(t.Context(), w.by(aigul)); ok || err != nil {
			t.Fatalf("a refusal left a proof: %v, %v", ok, err)
		}
		citizen, err := w.service.Prove(t.Context(), w.by(aigul), "1150 3198 8000 11", "ид 1000001")
		w.OK(err)
		found, ok, err := w.service.Proof(t.Context(), w.by(aigul))
		if err != nil || !ok || found != citizen {
			t.Fatalf("the proof is %v, %v, %v", found, ok, err)
		}
		if pin, err := w.service.PIN(t.Context(), citizen.ID); err != nil || pin != aigulPIN {
			t.Fatalf("the number is not hers: %v", err)
		}
		if call := w.register.calls[len(w.register.calls)-1]; call.UserID != "KG"+aigulPIN || call.Issue == "" {
			t.Error("the register was not told who asks and why")
		}
		w.Pass(identity.ProofLasts)
		if _, ok, _ := w.service.Proof(t.Context(), w.by(aigul)); ok {
			t.Error("the proof outlived its time")
		}
		w.verify(aigul)
		again, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		if err != nil || again != citizen {
			t.Errorf("the same person became %v (%v), was %v", again, err, citizen)
		}
		_, err = w.service.PIN(t.Context(), "nobody")
		w.refused(err, "citizen_unknown")
	})
}

func TestGuessingDocumentsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.verify(aigul)
		atOnce(guests, func(i int) {
			_, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, fmt.Sprintf("ID%07d", 5_000_000+i))
			switch problem.From(err).Key {
			case "problem.identity_no_match", "problem.identity_guesses_many":
			default:
				t.Errorf("a guess gave %v", err)
			}
		})
		if w.register.asked != identity.GuessesByPhone {
			t.Errorf("the register was asked %d times, want exactly %d", w.register.asked, identity.GuessesByPhone)
		}
		_, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, bakytDocument)
		w.refused(err, "guesses_many")
		w.Pass(identity.GuessesPer)
		w.verify(aigul)
		_, err = w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.OK(err)
	})
}

// TestRightDocumentsAtOnceAreNoGuesses: all of them prove the person, also where they are
// under way together; the guesses that the phone has are left as they were.
func TestRightDocumentsAtOnceAreNoGuesses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.verify(aigul)
		const many = 16
		w.register.hold = func() { // until all are under way
			for w.Number("SELECT COUNT(*) FROM identity_attempts") < many {
				runtime.Gosched()
			}
		}
		atOnce(many, func(i int) {
			if _, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument); err != nil {
				t.Errorf("right document %d: %v", i, err)
			}
		})
		w.register.hold = nil
		for i := range identity.GuessesByPhone + 1 {
			_, err := w.service.Prove(t.Context(), w.by(aigul), bakytPIN, fmt.Sprintf("ID200000%d", i))
			key := "no_match"
			if i == identity.GuessesByPhone {
				key = "guesses_many"
			}
			w.refused(err, key)
		}
	})
}

// TestGuessingOnePersonFromManyPhones (S4): a phone's first guesses of a day are taken
// whatever others guessed, so that somebody new is not kept out; all else is bounded.
func TestGuessingOnePersonFromManyPhones(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		asked := 0
		guess := func(phone string, n int) {
			t.Helper()
			if n == 0 {
				w.verify(phone)
			}
			_, err := w.service.Prove(t.Context(), w.by(phone), bakytPIN, "ID7654321")
			if n < identity.GuessesFirst || asked < identity.GuessesByPIN {
				asked++
				w.refused(err, "no_match")
			} else {
				w.refused(err, "guesses_many")
			}
		}
		phone := func(i int) string { return fmt.Sprintf("+9965550001%02d", i) }
		for i := range identity.GuessesByPIN {
			for n := range identity.GuessesByPhone {
				guess(phone(i), n)
			}
		}
		if most := identity.GuessesByPhone*2 + identity.GuessesFirst*(identity.GuessesByPIN-2); asked != most || w.register.asked != asked {
			t.Errorf("%d guesses were taken and the register was asked %d times, want %d", asked, w.register.asked, most)
		}
		// The citizen, who was never here, and mistypes.
		w.verify(bakyt)
		_, err := w.service.Prove(t.Context(), w.by(bakyt), bakytPIN, "ID1000020")
		w.refused(err, "no_match")
		_, err = w.service.Prove(t.Context(), w.by(bakyt), bakytPIN, bakytDocument)
		w.OK(err)
	})
}

func TestARegisterThatIsDownCostsNoGuess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.verify(aigul)
		w.register.down = true
		for range identity.GuessesByPhone + 2 {
			_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
			if problem.From(err).Code != problem.Unavailable {
				t.Fatalf("want the register's own problem, got %v", err)
			}
		}
		w.register.down = false
		_, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument)
		w.OK(err)
	})
}

func TestLocale(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, want := range []locales.Locale{"", locales.KYLatn, locales.RU} {
			if want != "" {
				w.OK(w.service.SetLocale(t.Context(), aigul, want, ""))
			}
			if got, err := w.service.Locale(t.Context(), aigul); err != nil || got != want {
				t.Errorf("the language is %q, %v; want %q", got, err, want)
			}
		}
		w.OK(w.send(w.by(aigul)))
		if got, _ := w.service.Locale(t.Context(), aigul); got != locales.RU {
			t.Errorf("a code changed the language to %q", got)
		}
	})
}
