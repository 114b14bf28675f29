package staff

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/eshik-kg/eshik/platform/slowhash"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestSignIn: the holder signs in, acts for as long as the session lasts, and signs out.
func TestSignIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "dinara")
		token, o := w.signIn("dinara")
		if o.Role != Clerk || o.Office != "centre/bishkek" || o.Actor() != "staff:dinara" {
			t.Errorf("signed in as %+v", o)
		}
		got, err := w.Authenticate(t.Context(), Session{token, terminal})
		if err != nil || got != o {
			t.Errorf("authenticated %+v: %v", got, err)
		}
		for _, wrong := range []string{"", token + "x", o.ID + ".", strings.ToUpper(token)} {
			if _, err := w.Authenticate(t.Context(), Session{wrong, terminal}); !errors.Is(err, ErrSession) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if _, err := w.Authenticate(t.Context(), Session{token, "another user's terminal"}); !errors.Is(err, ErrSession) {
			t.Errorf("a copied token: %v", err)
		}
		w.OK(w.SignOut(t.Context(), Session{token, terminal}))
		w.OK(w.SignOut(t.Context(), Session{token, terminal}))
		if _, err := w.Authenticate(t.Context(), Session{token, terminal}); !errors.Is(err, ErrSession) {
			t.Errorf("after signing out: %v", err)
		}
		if w.recorded("staff.sign_in.done") != 1 || w.recorded("staff.sign_out") != 1 {
			t.Error("not recorded, or twice")
		}
	})
}

// TestSessionsAreShort: one that is not used ends, and so does one that is, by the evening.
func TestSessionsAreShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), "asel")
	idle, _ := w.signIn("asel")
	w.Pass(SessionIdles - time.Second)
	_, err := w.Authenticate(t.Context(), Session{idle, terminal})
	w.OK(err)
	w.Pass(SessionIdles)
	if _, err := w.Authenticate(t.Context(), Session{idle, terminal}); !errors.Is(err, ErrSession) {
		t.Errorf("after a pause: %v", err)
	}
	used, _ := w.signIn("asel")
	begun := w.World.Now()
	for w.World.Now().Before(begun.Add(SessionLasts - 10*time.Minute)) {
		_, err := w.Authenticate(t.Context(), Session{used, terminal})
		w.OK(err)
		w.Pass(10 * time.Minute)
	}
	w.Pass(10 * time.Minute)
	if _, err := w.Authenticate(t.Context(), Session{used, terminal}); !errors.Is(err, ErrSession) {
		t.Errorf("in the evening: %v", err)
	}
	w.Pass(TrustLasts)
	w.OK(w.Tidy(t.Context()))
	if n := w.Number("SELECT (SELECT COUNT(*) FROM staff_sessions) + (SELECT COUNT(*) FROM staff_attempts)"); n != 0 {
		t.Errorf("%d rows stay", n)
	}
}

// TestACodeIsGoodOnce: not after it was used, not before and after its time but for a
// clock that is a little off, and of many at once one is taken.
func TestACodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel")
		try := func(code string) error {
			_, _, err := w.SignIn(t.Context(), terminal, "asel", w.keys["asel"].Password, code)
			return err
		}
		now := w.World.Now()
		for off, want := range map[time.Duration]error{-2 * totpPeriod: ErrSignIn, 2 * totpPeriod: ErrSignIn} {
			if err := try(w.code("asel", now.Add(off))); !errors.Is(err, want) {
				t.Errorf("a clock that is %s off: %v", off, err)
			}
		}
		w.OK(try(w.code("asel", now.Add(-totpPeriod))))
		w.OK(try(w.code("asel", now)))
		for _, off := range []time.Duration{-totpPeriod, 0} {
			if err := try(w.code("asel", now.Add(off))); !errors.Is(err, ErrSignIn) {
				t.Errorf("used: %v", err)
			}
		}
		w.OK(try(w.code("asel", now.Add(totpPeriod))))
		var done, other atomic.Int64
		w.Pass(5 * totpPeriod)
		code := w.code("asel", w.World.Now())
		var all sync.WaitGroup
		for range TriesOfOrigin {
			all.Go(func() {
				switch err := try(code); {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, ErrSignIn):
					other.Add(1)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 || other.Load() != 0 {
			t.Errorf("at once: %d signed in, %d other errors", done.Load(), other.Load())
		}
	})
}

// TestUnknownIsAsWrong: the answer, what is counted and what is recorded are the same for a
// name that nobody has; and a decoy is as hard as a password.
func TestUnknownIsAsWrong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel", "bolot", "vera")
		said := map[string][]string{}
		for _, name := range []string{"asel", "nobody"} {
			for n := range TriesOfOrigin + 3 {
				_, _, err := w.SignIn(t.Context(), "stranger of "+name, name, "a wrong password", "000000")
				said[name] = append(said[name], fmt.Sprint(n, err))
			}
		}
		if !reflect.DeepEqual(said["asel"], said["nobody"]) {
			t.Errorf("told %q", said)
		}
		if n := w.recorded("staff.sign_in.refused"); n != 2*TriesOfOrigin {
			t.Errorf("%d refusals are recorded", n)
		}
		if n := w.recorded("staff.sign_in.held"); n != 2 {
			t.Errorf("%d bounds are recorded", n)
		}
		for what, c := range map[string][2]string{
			"wrong code":     {w.keys["bolot"].Password, "000000"},
			"no code":        {w.keys["bolot"].Password, ""},
			"wrong password": {"x", w.code("bolot", w.World.Now())},
			"huge password":  {strings.Repeat("x", 1<<20), w.code("bolot", w.World.Now())},
			"another's code": {w.keys["bolot"].Password, w.code("vera", w.World.Now())},
		} {
			if _, _, err := w.SignIn(t.Context(), "terminal "+what, "bolot", c[0], c[1]); !errors.Is(err, ErrSignIn) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, params, err := argon2id.CheckHash("x", decoy); err != nil || *params != *slowhash.Hardness {
			t.Errorf("the decoy: %+v %v", params, err)
		}
	})
}

// TestStrangersShutNobodyOut: who guesses an officer's codes from one place, or from many,
// is stopped; the officer signs in all the same, where they did before.
func TestStrangersShutNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), "dinara")
	w.signIn("dinara")
	tried := 0
	guess := func(origin string) {
		_, _, err := w.SignIn(t.Context(), origin, "dinara", w.keys["dinara"].Password, "000000")
		if errors.Is(err, ErrSignIn) {
			tried++
		} else if !errors.Is(err, ErrTries) {
			t.Errorf("guessed: %v", err)
		}
	}
	for range 20 {
		guess("one place")
	}
	if tried != TriesOfOrigin {
		t.Errorf("one place tried %d codes", tried)
	}
	for n := range 30 {
		for range 3 {
			guess(fmt.Sprint("place ", n))
		}
	}
	if tried > TriesOfAccount {
		t.Errorf("all places tried %d codes", tried)
	}
	w.signIn("dinara")
	_, _, err := w.SignIn(t.Context(), "elsewhere", "dinara", w.keys["dinara"].Password, w.code("dinara", w.World.Now().Add(totpPeriod)))
	if !errors.Is(err, ErrTries) {
		t.Errorf("from a new place meanwhile: %v", err)
	}
	w.Pass(TriesLast + time.Second)
	_, _, err = w.SignIn(t.Context(), "elsewhere", "dinara", w.keys["dinara"].Password, w.code("dinara", w.World.Now()))
	w.OK(err)
}

// TestOnePlaceTriesManyNames: a password that is tried with every name is stopped too.
func TestOnePlaceTriesManyNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	tried := 0
	for n := range TriesFromOne + 10 {
		_, _, err := w.SignIn(t.Context(), "one place", fmt.Sprint("name-", n), "Password1!", "000000")
		if errors.Is(err, ErrSignIn) {
			tried++
		}
	}
	if tried != TriesFromOne {
		t.Errorf("tried %d names", tried)
	}
}
