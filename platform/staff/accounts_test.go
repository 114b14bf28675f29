package staff

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestTheFirstAccount: of many who make the first one at once, one does, and nobody after.
func TestTheFirstAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		base := testworld.New(t, db, testworld.Setup{})
		s, err := New(Deps{DB: db, Sealer: base.Sealer, Trail: base.Trail, Now: base.Now, Random: rand.Reader, Invented: func(Officer) bool { return false }})
		base.OK(err)
		if _, err := s.AddFirst(t.Context(), Profile{Login: "first", Person: "1", Role: Operator}); !errors.Is(err, ErrNotAdmin) {
			t.Errorf("an operator first: %v", err)
		}
		var made, refused atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				_, err := s.AddFirst(t.Context(), Profile{Login: fmt.Sprint("root-", n), Person: "1", Role: Administrator})
				if err == nil {
					made.Add(1)
				} else if errors.Is(err, ErrNotFirst) {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 || refused.Load() != 7 || base.Number("SELECT COUNT(*) FROM staff_accounts") != 1 {
			t.Errorf("%d made, %d refused", made.Load(), refused.Load())
		}
	})
}

// TestProfiles: what an account cannot be made with.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		Profile
		want error
	}{
		{Profile{"asel", "11", Operator, ""}, nil},
		{Profile{"asel", "11", Clerk, "centre/osh"}, nil},
		{Profile{"Asel", "11", Operator, ""}, ErrLogin},
		{Profile{"a", "11", Operator, ""}, ErrLogin},
		{Profile{"asel", "11503198800011", Operator, ""}, ErrPerson},
		{Profile{"asel", "", Operator, ""}, ErrPerson},
		{Profile{"asel", "11", "boss", ""}, ErrRole},
		{Profile{"asel", "11", Clerk, ""}, ErrOffice},
		{Profile{"asel", "11", Clerk, "ministry/1"}, ErrOffice},
		{Profile{"asel", "11", Operator, "centre/osh"}, ErrOffice},
	} {
		if err := c.check(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.Profile, err)
		}
	}
}

// TestAChangedRowIsNotUsed: whoever can write to the database, and lacks the master key,
// makes no clerk an administrator, signs in nobody else, and fsck names the row.
func TestAChangedRowIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		"role = 'administrator'", "office = 'centre/osh'", "person = '99'", "login = 'dinara-x'",
		"password_hash = (SELECT password_hash FROM staff_accounts WHERE login = 'asel')",
		"totp_sealed = (SELECT totp_sealed FROM staff_accounts WHERE login = 'asel')", "disabled_at = 1", "founder = 1", "made_at = 5", "owes = 'totp'",
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t, storetest.NewSQLite(t))
			w := newWorld(t, db, "dinara", "asel")
			token, _ := w.signIn("dinara")
			w.OK(w.compare())
			_, err := db.Writer().ExecContext(t.Context(), "UPDATE staff_accounts SET "+change+" WHERE login = 'dinara'") // #nosec G202 -- a test's own words
			w.OK(err)
			if _, err := w.Authenticate(t.Context(), Session{token, terminal}); !errors.Is(err, ErrTampered) {
				t.Errorf("the session: %v", err)
			}
			if err := w.compare(); !errors.Is(err, ErrTampered) {
				t.Errorf("fsck: %v", err)
			}
		})
	}
}

// TestASessionIsNotAnothers: its row is moved to another account.
func TestASessionIsNotAnothers(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	w := newWorld(t, db, "dinara", "root")
	token, _ := w.signIn("dinara")
	_, err := db.Writer().ExecContext(t.Context(), "UPDATE staff_sessions SET account_id = (SELECT id FROM staff_accounts WHERE login = 'root')")
	w.OK(err)
	if _, err := w.Authenticate(t.Context(), Session{token, terminal}); !errors.Is(err, ErrSession) {
		t.Errorf("the session of another: %v", err)
	}
}

// TestDisabledAtOnce: an account that is disabled or reset acts no more, signs in no more
// with what it had, and comes back with what a reset gives.
func TestDisabledAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel", "root")
		_, root := w.signIn("root")
		if err := w.Disable(t.Context(), w.By(root, "disable", "14-2/77"), "root"); !errors.Is(err, ErrOwn) {
			t.Errorf("one's own: %v", err)
		}
		if err := w.Disable(t.Context(), w.By(root, "disable", "14-2/77"), "nobody"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("nobody's: %v", err)
		}
		token, _ := w.signIn("asel")
		w.OK(w.Disable(t.Context(), w.By(root, "disable", "14-2/77"), "asel"))
		if _, err := w.Authenticate(t.Context(), Session{token, terminal}); !errors.Is(err, ErrSession) {
			t.Errorf("the session of a disabled account: %v", err)
		}
		w.Pass(totpPeriod)
		old := w.keys["asel"]
		if _, _, err := w.SignIn(t.Context(), terminal, "asel", old.Password, w.code("asel", w.World.Now())); !errors.Is(err, ErrSignIn) {
			t.Errorf("a disabled account: %v", err)
		}
		keys, err := w.Reset(t.Context(), w.By(root, "reset", "14-2/78"), "asel")
		w.OK(err)
		w.Pass(totpPeriod)
		if _, _, err := w.SignIn(t.Context(), terminal, "asel", old.Password, w.code("asel", w.World.Now())); !errors.Is(err, ErrSignIn) {
			t.Errorf("with what it had: %v", err)
		}
		w.keys["asel"] = keys
		w.signIn("asel")
		n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'staff.disable' AND actor = 'staff:root' AND purpose = '14-2/77'")
		if n != 1 || w.recorded("staff.account.reset") != 1 {
			t.Errorf("%d records of the reason", n)
		}
	})
}

// TestAdd: an account is made once, and signs in with what was drawn for it.
func TestAdd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), "root")
	_, root := w.signIn("root")
	keys, err := w.Add(t.Context(), w.By(root, "add", "order 5"), house["k001"])
	w.OK(err)
	w.keys["k001"] = keys
	if _, o := w.signIn("k001"); o.Office != "kindergarten/K001" || o.Person != "15" {
		t.Errorf("signed in as %+v", o)
	}
	if _, err := w.Add(t.Context(), w.By(root, "add", "order 5"), house["k001"]); !errors.Is(err, ErrTaken) {
		t.Errorf("made twice: %v", err)
	}
	list, err := w.Accounts(t.Context())
	if err != nil || len(list) != 2 || list[0].Login != "k001" || !list[0].DisabledAt.IsZero() {
		t.Errorf("the list: %+v %v", list, err)
	}
}

// TestSamePerson: one person is not two by how their number is written.
func TestSamePerson(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"S-3", "s-3", "S3", "S-03", "s-003", "S--3"} {
		if !SamePerson("S-3", other) || !SamePerson(other, "s3") {
			t.Errorf("%s is another person", other)
		}
	}
	for _, other := range []string{"S-30", "S-13", "S-", "3", "S-3A", "T-3"} {
		if SamePerson("S-3", other) {
			t.Errorf("%s is the same person", other)
		}
	}
	if !SamePerson("007", "7") || SamePerson("100", "1") || SamePerson("0", "") {
		t.Error("numbers without letters")
	}
}

// TestNobodyMakesBothPersons: who disables the one that decides does not decide alone from then
// on, and of the halves of a new account neither its proposer nor its approver has both.
func TestNobodyMakesBothPersons(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "root")
		_, root := w.signIn("root")
		alone := func() bool {
			t.Helper()
			alone, err := w.Alone(t.Context(), root)
			w.OK(err)
			return alone
		}
		if !alone() {
			t.Error("a new house cannot begin")
		}
		w.make(house["vera"])
		if err := w.Disable(t.Context(), w.By(root, "disable", "case 1"), "vera"); !errors.Is(err, ErrLast) || alone() {
			t.Errorf("the only one that decides is disabled: %v", err)
		}
		_, err := w.Add(t.Context(), w.By(root, "add", "case 1"), Profile{Login: "vera-new", Person: "18", Role: Inspector})
		w.OK(err)
		if err := w.Disable(t.Context(), w.By(root, "disable", "case 1"), "vera"); !errors.Is(err, ErrLast) {
			t.Errorf("one is left whose holder never signed in: %v", err)
		}
		w.make(Profile{Login: "vera-too", Person: "17", Role: Inspector})
		w.make(Profile{Login: "roots", Person: "07", Role: Inspector}) // a second account of the administrator
		var group sync.WaitGroup
		var ended atomic.Int64
		for _, name := range []string{"vera", "vera-too"} {
			group.Go(func() {
				if w.Disable(t.Context(), w.By(root, "disable", "case 1"), name) == nil {
					ended.Add(1)
				}
			})
		}
		group.Wait()
		if ended.Load() != 1 || alone() {
			t.Errorf("of the two that decide %d were disabled", ended.Load())
		}
		w.OK(w.compare())
	})
}

// TestOneOfTwoStays: of two administrators who disable each other at once one is left.
func TestOneOfTwoStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "root", "vera")
		w.make(Profile{Login: "root-two", Person: "19", Role: Administrator})
		_, root := w.signIn("root")
		_, other := w.signIn("root-two")
		var group sync.WaitGroup
		var ended atomic.Int64
		for name, by := range map[string]Officer{"root-two": root, "root": other} {
			group.Go(func() {
				if w.Disable(t.Context(), w.By(by, "disable", "case 1"), name) == nil {
					ended.Add(1)
				}
			})
		}
		group.Wait()
		if ended.Load() != 1 {
			t.Errorf("%d of two administrators were disabled", ended.Load())
		}
	})
}

// TestAnAccountsHalves: the password of a proposed account is with its proposer, the codes' secret
// with who approves; its holder needs both.
func TestAnAccountsHalves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "root", "vera")
		password, kept, err := w.FirstPassword(t.Context())
		w.OK(err)
		p := w.propose("root", Request{Operation: "add", Reason: "order 5", Kept: kept, Given: map[string]string{"name": "k001"}})
		_, vera := w.signIn("vera")
		for name, value := range p.Shown() {
			if strings.Contains(value, password) || strings.Contains(value, kept) {
				t.Errorf("%s is shown: %s", name, value)
			}
		}
		act, err := w.Approve(t.Context(), vera, p, "saw the order", "")
		w.OK(err)
		made, err := w.Add(t.Context(), act, house["k001"])
		w.OK(err)
		if made.Password != "" || made.Secret == "" {
			t.Errorf("who approves is shown %+v", made)
		}
		made.Password = password
		w.keys["k001"] = made
		w.signIn("k001")
	})
}
