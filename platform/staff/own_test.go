package staff

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

const chosen = "үч көк айгыр секирди"

// TestTheHolderChangesWhatOthersSaw: a new and a reset account may do nothing until its
// holder has changed both; what others saw is good for nothing after.
func TestTheHolderChangesWhatOthersSaw(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "root")
		_, root := w.signIn("root")
		made, err := w.Add(t.Context(), w.By(root, "add", "order 12"), house["asel"])
		w.OK(err)
		w.keys["asel"] = made
		for range 2 {
			seen := w.keys["asel"]
			token, o := w.signIn("asel")
			if !o.Owes {
				t.Error("the officer is not told that something has to be changed")
			}
			if _, _, err := w.Authorize(t.Context(), Session{token, terminal}, "disputes", "case 1", nil); !errors.Is(err, ErrOwes) {
				t.Errorf("acts with what others saw: %v", err)
			}
			token, err = w.ChangePassword(t.Context(), Session{token, terminal}, seen.Password, chosen)
			w.OK(err)
			if _, err := w.Authenticate(t.Context(), Session{token, terminal}); !errors.Is(err, ErrOwes) {
				t.Errorf("acts with codes that others saw: %v", err)
			}
			w.changeCodes("asel", &token, chosen)
			if o, err := w.Authenticate(t.Context(), Session{token, terminal}); err != nil || o.Owes {
				t.Errorf("after both: %v %v", o, err)
			}
			w.Pass(2 * totpPeriod)
			for _, old := range [][2]string{{seen.Password, w.code("asel", w.World.Now())}, {chosen, codeOf(t, seen.Secret, w.World.Now())}} {
				if _, _, err := w.SignIn(t.Context(), terminal, "asel", old[0], old[1]); !errors.Is(err, ErrSignIn) {
					t.Errorf("what others saw signs in: %v", err)
				}
			}
			w.OK(w.compare())
			w.Pass(TriesLast)
			_, root = w.signIn("root")
			w.keys["asel"], err = w.Reset(t.Context(), w.By(root, "reset", "order 13"), "asel")
			w.OK(err)
		}
		if n := w.recorded("staff.account.password") + w.recorded("staff.account.secret"); n != 4 {
			t.Errorf("%d changes are recorded", n)
		}
	})
}

// changeCodes gives an account another secret, and the test its codes.
func (w *world) changeCodes(login string, token *string, password string) {
	w.t.Helper()
	next, err := w.NewSecret(w.t.Context(), Session{*token, terminal}, password)
	w.OK(err)
	keys := w.keys[login]
	keys.Password, keys.Secret = password, next.Secret
	w.keys[login] = keys
	*token, err = w.ConfirmSecret(w.t.Context(), Session{*token, terminal}, next.Sealed, w.code(login, w.World.Now()))
	w.OK(err)
}

func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestOwnChangesAreRefused: without the password, long after the sign-in, with a weak or the
// same password, with another account's new secret, an old one, or a code of the old one; and
// guesses are counted with those of signing in.
func TestOwnChangesAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel", "bolot")
		token, _ := w.signIn("asel")
		other, _ := w.signIn("bolot")
		here, password := Session{token, terminal}, w.keys["asel"].Password
		refused := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := w.ChangePassword(t.Context(), here, password, "asel-asel-asel")
		refused("one's own name", err, ErrNamed)
		_, err = w.ChangePassword(t.Context(), here, password, password)
		refused("the same", err, ErrCommon)
		_, err = w.ChangePassword(t.Context(), Session{token, "elsewhere"}, password, chosen)
		refused("a copied session", err, ErrSession)
		next, err := w.NewSecret(t.Context(), here, password)
		w.OK(err)
		_, err = w.ConfirmSecret(t.Context(), here, next.Sealed, w.code("asel", w.World.Now()))
		refused("a code of the old secret", err, ErrCurrent)
		_, err = w.ConfirmSecret(t.Context(), Session{other, terminal}, next.Sealed, codeOf(t, next.Secret, w.World.Now()))
		refused("another's new secret", err, ErrEnrolment)
		_, err = w.ConfirmSecret(t.Context(), here, next.Sealed+"x", "000000")
		refused("a forged secret", err, ErrEnrolment)
		w.Pass(FreshFor)
		_, err = w.ConfirmSecret(t.Context(), here, next.Sealed, codeOf(t, next.Secret, w.World.Now()))
		refused("an old new secret", err, ErrEnrolment)
		_, err = w.ChangePassword(t.Context(), here, password, chosen)
		refused("long after the sign-in", err, ErrStale)
		w.Pass(TriesLast)
		token, _ = w.signIn("asel")
		here, guesses := Session{token, terminal}, 0
		for range 2 * TriesOfOrigin {
			_, err := w.ChangePassword(t.Context(), here, password, "short")
			refused("a short one, which is no guess", err, ErrShort)
		}
		for range 20 {
			if _, err := w.ChangePassword(t.Context(), here, "a guess", chosen); errors.Is(err, ErrCurrent) {
				guesses++
			}
		}
		if guesses != TriesOfOrigin {
			t.Errorf("%d guesses", guesses)
		}
		_, _, err = w.SignIn(t.Context(), terminal, "asel", password, w.code("asel", w.World.Now().Add(totpPeriod)))
		refused("signing in after the guesses", err, ErrTries)
		w.OK(w.compare())
	})
}

// TestAChangeEndsOtherSessions: those of the account elsewhere, and the token that asked; of
// many changes at once one is done, and the session lasts no longer for it.
func TestAChangeEndsOtherSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel")
		elsewhere, _ := w.signIn("asel")
		token, _ := w.signIn("asel")
		var next atomic.Value
		var done atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if other, err := w.ChangePassword(t.Context(), Session{token, terminal}, w.keys["asel"].Password, chosen); err == nil {
					next.Store(other)
					done.Add(1)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 {
			t.Fatalf("%d changes were done", done.Load())
		}
		for _, old := range []string{token, elsewhere} {
			if _, err := w.Authenticate(t.Context(), Session{old, terminal}); !errors.Is(err, ErrSession) {
				t.Errorf("an ended session: %v", err)
			}
		}
		for range 26 { // used all the day
			w.Pass(SessionIdles - time.Minute)
			_, _ = w.Authenticate(t.Context(), Session{next.Load().(string), terminal})
		}
		if _, err := w.Authenticate(t.Context(), Session{next.Load().(string), terminal}); !errors.Is(err, ErrSession) {
			t.Errorf("the session lasts longer for the change: %v", err)
		}
	})
}

// TestAnEarlierRowPutBack: whoever can write to the database puts an account back to a row
// that was ours: fsck names it, and the record that says otherwise.
func TestAnEarlierRowPutBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "root", "asel", "bolot")
		_, root := w.signIn("root")
		exec := func(query string) {
			t.Helper()
			_, err := db.Writer().ExecContext(t.Context(), query)
			w.OK(err)
		}
		exec("CREATE TABLE kept AS SELECT * FROM staff_accounts WHERE login = 'asel'")
		w.OK(w.Disable(t.Context(), w.By(root, "disable", "left on 1 March"), "asel"))
		w.OK(w.compare())
		exec("DELETE FROM staff_sessions")
		exec("DELETE FROM staff_accounts WHERE login = 'asel'")
		if err := w.compare(); err == nil {
			t.Error("a row that is gone is not named")
		}
		exec("INSERT INTO staff_accounts SELECT * FROM kept")
		w.signIn("asel") // the row is genuine
		if err := w.compare(); err == nil || errors.Is(err, ErrTampered) {
			t.Errorf("an earlier row: %v", err)
		}
		w.OK(w.Disable(t.Context(), w.By(root, "disable", "left on 1 March"), "asel"))
		if err := w.compare(); err == nil || !strings.Contains(err.Error(), "was changed between the audit records ") {
			t.Errorf("an earlier row that an officer then changed: %v", err)
		}
	})
}

// TestInventedAccounts: those of a sandbox are refused with what to do, and a house that has
// no others may make its first one.
func TestInventedAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.make(Profile{Login: "operator", Person: "S-1", Role: Operator})
		keys := w.keys["operator"]
		_, _, err := w.SignIn(t.Context(), terminal, "operator", keys.Password, w.code("operator", w.World.Now()))
		if !errors.Is(err, ErrInvented) {
			t.Errorf("signs in: %v", err)
		}
		_, _, err = w.SignIn(t.Context(), terminal, "operator", "a guess", w.code("operator", w.World.Now().Add(totpPeriod)))
		if !errors.Is(err, ErrSignIn) {
			t.Errorf("a guess is told that the account is there: %v", err)
		}
		_, err = w.AddFirst(t.Context(), house["root"])
		w.OK(err)
	})
}
