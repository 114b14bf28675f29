package identity_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// elsewhere is the address of strangers who do not share the owner's.
const elsewhere = "198.51.100.9"

// inbox are the codes that a phone was sent, the newest first.
func (w *world) inbox(phone string) []string {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	w.OK(err)
	var codes []string
	for _, m := range list {
		codes = append(codes, oneTime.FindString(m.Text))
	}
	return codes
}

// guessAway makes wrong guesses at a phone's codes.
func (w *world) guessAway(phone, address, challenge string, times int) {
	w.T.Helper()
	for i := range times {
		for _, digits := range []int{identity.CodeDigits, identity.SharedDigits} {
			err := w.service.CheckCode(w.T.Context(), w.app(phone, address), challenge, fmt.Sprintf("%0*d", digits, i))
			if problem.From(err).Code != problem.Unauthenticated {
				w.T.Fatalf("a wrong guess is answered %v", err)
			}
		}
	}
}

// TestS7StrangersKeepNobodyOutOfREST: whatever strangers ask for and guess, an owner who
// asks for a code as often as CodesOpen + 1 times has one in the inbox that works.
func TestS7StrangersKeepNobodyOutOfREST(t *testing.T) {
	t.Parallel()
	ask := func(w *world, address string) string {
		sent, err := w.service.SendCode(w.T.Context(), w.app(aigul, address))
		w.OK(err)
		return sent.Challenge
	}
	for name, c := range map[string]struct {
		before, between func(w *world, address, owners string)
		// tries is how often the owner asks at most, with the challenge and without.
		with, without int
	}{
		"two requests before":   {before: func(w *world, a, _ string) { ask(w, a); ask(w, a) }, with: 1, without: 1},
		"thirty requests":       {before: func(w *world, a, _ string) { times(30, func() { ask(w, a) }) }, with: 1, without: 1},
		"requests in between":   {between: func(w *world, a, _ string) { times(30, func() { ask(w, a) }) }, with: 1, without: 1},
		"five guesses":          {between: func(w *world, a, _ string) { w.guessAway(aigul, a, "", 5) }, with: 1, without: 3},
		"a hundred guesses":     {between: func(w *world, a, _ string) { w.guessAway(aigul, a, "", 100) }, with: 1, without: 3},
		"their own challenge":   {between: func(w *world, a, _ string) { w.guessAway(aigul, a, ask(w, a), 20) }, with: 1, without: 2},
		"a challenge made up":   {between: func(w *world, a, _ string) { w.guessAway(aigul, a, "0198f3a2-6c00-7cc1-a8d5-3f1d6a1b2c3d", 20) }, with: 1, without: 3},
		"another's challenge":   {between: func(w *world, a, _ string) { w.guessAway(bakyt, a, ask(w, a), 20) }, with: 1, without: 1},
		"a whole day of it":     {before: func(w *world, a, _ string) { aDay(w, a) }, with: 1, without: 1},
		"a day, then guesses":   {before: func(w *world, a, _ string) { aDay(w, a) }, between: func(w *world, a, _ string) { w.guessAway(aigul, a, "", 50) }, with: 1, without: 1},
		"the challenge is lost": {between: func(w *world, a, owners string) { w.guessAway(aigul, a, owners, 5) }, with: 3, without: 3},
	} {
		for place, address := range map[string]string{"elsewhere": elsewhere, "behind the same address": shared} {
			for _, bound := range []bool{true, false} {
				t.Run(fmt.Sprint(name, ", ", place, ", challenge ", bound), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
					if c.before != nil {
						c.before(w, address, "")
					}
					most := c.without
					if bound {
						most = c.with
					}
					for n := 1; ; n++ {
						challenge := ask(w, shared)
						if c.between != nil {
							c.between(w, address, challenge)
						}
						if !bound {
							challenge = ""
						}
						if w.getsIn(challenge) {
							break
						}
						if n == most {
							t.Fatalf("the owner is kept out after %d requests", n)
						}
					}
				})
			}
		}
	}
}

// getsIn types the codes of the inbox, as an owner does who sees several.
func (w *world) getsIn(challenge string) bool {
	for i, code := range w.inbox(aigul) {
		if i == 3 {
			return false
		}
		if w.service.CheckCode(w.T.Context(), w.app(aigul, shared), challenge, code) == nil {
			return true
		}
	}
	return false
}

func times(n int, do func()) {
	for range n {
		do()
	}
}

// aDay asks for a phone's code and guesses at it, each minute of a day. The phone used a
// code before: one that never did is held back as code pumping is, and has its own call.
func aDay(w *world, address string) {
	w.OK(w.login(aigul, shared))
	for range 24 * 60 {
		sent, err := w.service.SendCode(w.T.Context(), w.app(aigul, address))
		w.OK(err)
		w.guessAway(aigul, address, sent.Challenge, 1)
		w.guessAway(aigul, address, "", 1)
		w.Pass(time.Minute)
	}
}

// TestS7GuessingStaysHopeless: what a day of requests and guesses costs in messages, and
// how many guesses it makes at short codes.
func TestS7GuessingStaysHopeless(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		aDay(w, elsewhere)
		guesses := w.Number("SELECT SUM(tries + unbound_tries) FROM identity_codes WHERE shared = FALSE")
		if most := identity.SpentAtMost*2*identity.CodeTries + 1; guesses > most || guesses < most/2 {
			t.Errorf("%d guesses at short codes in a day, want %d at most", guesses, most)
		}
		sent := w.Number("SELECT COUNT(*) FROM notify_messages")
		if most := 1 + identity.SpentAtMost + int(24*time.Hour/identity.CodesPer); sent > most {
			t.Errorf("%d messages in a day, want %d at most", sent, most)
		}
		span := identity.CodesPer.Microseconds()
		most := w.Number(fmt.Sprintf(`SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM identity_codes a JOIN identity_codes b
			ON b.sent_at <= a.sent_at AND b.sent_at > a.sent_at - %d GROUP BY a.id) x`, span))
		if most > identity.CodesOpen+1 {
			t.Errorf("%d messages in %v", most, identity.CodesPer)
		}
	})
}

// TestS7TheLongCode: it is used once, the owner who used it gets another up to a bound
// that strangers do not reach, and one that was guessed at too often is replaced.
func TestS7TheLongCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		times(identity.CodesOpen, func() { w.OK(w.send(w.app(aigul, elsewhere))) })
		for n := identity.CodesOpen; n < identity.OpenAtMost; n++ {
			w.OK(w.send(w.app(aigul, shared)))
			code := w.code(aigul)
			if len(code) != identity.SharedDigits+2 || len(w.inbox(aigul)) != n+1 {
				t.Fatalf("message %d of %d holds a code of %d characters", n+1, len(w.inbox(aigul)), len(code))
			}
			if n == identity.CodesOpen { // guessed at too often: another takes its place
				w.exec("UPDATE identity_codes SET unbound_tries = $1 WHERE shared = TRUE", identity.SharedTries-2)
				w.refused(w.check(w.app(aigul, elsewhere), "000000000000"), "code_wrong")
				w.refused(w.check(w.app(aigul, elsewhere), "000000000000"), "code_void")
				w.refused(w.check(w.app(aigul, shared), code), "code_void")
				continue
			}
			w.OK(w.check(w.app(aigul, shared), code))
			w.refused(w.check(w.app(aigul, shared), code), "code_void")
			w.Pass(time.Second)
		}
		err := w.send(w.app(aigul, shared))
		w.refused(err, "codes_many")
		if wait := problem.From(err).RetryAfter; wait <= 0 || wait > identity.CodesPer {
			t.Errorf("refused for %v", wait)
		}
		w.Pass(identity.CodesPer)
		w.OK(w.login(aigul, shared))
	})
}

// exec changes the database behind the service's back.
func (w *world) exec(query string, args ...any) {
	w.T.Helper()
	w.OK(w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(w.T.Context(), query, args...)
		return err
	}))
}

// TestTheDocumentsHaveTheFigures: how many codes a phone gets is said in several places,
// and everywhere what the code does.
func TestTheDocumentsHaveTheFigures(t *testing.T) {
	t.Parallel()
	per := int(identity.CodesPer.Minutes())
	short := fmt.Sprintf("in %d minutes, and %d in a day that nobody uses or somebody guesses at", per, identity.SpentAtMost)
	for file, figures := range map[string][]string{
		"SECURITY.md": {
			fmt.Sprintf("%d digits, %d wrong guesses", identity.CodeDigits, identity.CodeTries),
			fmt.Sprintf("%d messages per number in %d minutes by its own calls", identity.CodesAtMost, per),
			fmt.Sprintf("strangers cause %d at most", identity.CodesOpen+1), fmt.Sprintf("a code of %d digits", identity.SharedDigits),
			fmt.Sprintf("%d messages in %d minutes, then everybody waits", identity.OpenAtMost, per),
		},
		"locales/en/identity.toml": {fmt.Sprintf("Codes in %d minutes: {n}.", per)},
		"api/citizen/openapi.yaml": {
			fmt.Sprintf("%d codes of %d digits %s", identity.CodesOpen, identity.CodeDigits, short),
			fmt.Sprintf("Then one code of %d", identity.SharedDigits),
			fmt.Sprintf("%d wrong guesses with its challenge, %d without", identity.CodeTries, identity.CodeTries),
		},
		"docs/guides/rest.md": {fmt.Sprintf("gets %d short codes %s", identity.CodesOpen, short), fmt.Sprintf("a code of %d digits", identity.SharedDigits)},
		"docs/guides/operators.md": {
			fmt.Sprintf("by its own calls and texts | a phone | %d in %d minutes |", identity.CodesAtMost, per),
		},
		"docs/decisions/0017-codes-that-grow.md": {
			fmt.Sprintf("%d, so 1 in %d", identity.SpentAtMost*2*identity.CodeTries, 1_000_000/(identity.SpentAtMost*2*identity.CodeTries)),
			fmt.Sprintf("%d in %d minutes, %d in a day", identity.CodesOpen+1, per, identity.SpentAtMost+int(24*time.Hour/identity.CodesPer)),
			fmt.Sprintf("| %d in %d minutes: where strangers spent", identity.OpenAtMost, per),
			fmt.Sprintf("first %d guesses", identity.GuessesFirst),
		},
	} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, figure := range figures {
			plain := strings.ReplaceAll(strings.Join(strings.Fields(string(text)), " "), "10 000", "10000")
			if !strings.Contains(plain, figure) {
				t.Errorf("%s does not say %q", file, figure)
			}
		}
	}
}
