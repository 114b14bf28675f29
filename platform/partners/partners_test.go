package partners_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const (
	wallet  = "demo-wallet"
	address = "192.0.2.1"
	officer = "aida"
)

type world struct {
	*testworld.World
	*partners.Service
	signer *identity.Service
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{})}
	var err error
	w.signer = signer(t, w.World)
	w.Service, err = partners.New(partners.Deps{
		DB: db, Sealer: w.Sealer, Trail: w.World.Trail, Limiter: w.World.Limiter, Now: w.Clock.Now, Random: rand.Reader,
		Signer: w.signer, Issuer: "https://eshik.example",
	})
	w.OK(err)
	return w
}

// made makes a partner that may do everything, and gives its secrets.
func (w *world) made(id string, kinds ...partners.Kind) []string {
	w.T.Helper()
	secrets, err := w.Create(w.T.Context(), officer, id, partners.Terms{Scopes: partners.Operations}, kinds...)
	w.OK(err)
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = s.Text
	}
	return texts
}

func (w *world) taken(kind partners.Kind, id, secret string) partners.Access {
	w.T.Helper()
	access, err := w.Authenticate(w.T.Context(), kind, id, secret, address)
	w.OK(err)
	if access.Partner != id {
		w.T.Fatalf("taken as %+v", access)
	}
	return access
}

// refused tries a secret from an address that was never wrong before.
func (w *world) refused(what string, kind partners.Kind, id, secret string) {
	w.T.Helper()
	_, err := w.Authenticate(w.T.Context(), kind, id, secret, "address for "+what)
	if problem.From(err).Key != "problem.partner_secret" {
		w.T.Errorf("%s: %v", what, err)
	}
}

// fsck compares the partners with the log.
func (w *world) fsck() error {
	w.T.Helper()
	return w.DB.Snapshot(w.T.Context(), w.compared)
}

func (w *world) compared(tx *sql.Tx) error {
	_, err := w.Compare(tx, partners.NewCompare(w.Audit))
	return err
}

// unsaid are the columns that no record says anything of, and why.
var unsaid = map[string]string{
	"partners.secret_hash":        "looked at by versions before only, which take no empty one",
	"partners.created_at":         "when it was made: it decides nothing",
	"partner_credentials.used_on": "when it was used last: it decides nothing",
}

// TestM3EarlierHashes: the hash of an earlier version is good once, for all who come at
// once, and then replaced; wrong secrets meanwhile delay nobody for long.
func TestM3EarlierHashes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		secret := strings.Repeat("s", 43)
		hash, err := argon2id.CreateHash(secret, argon2id.DefaultParams)
		w.OK(err)
		for _, statement := range []string{ // as migration 170 finds and leaves it
			"INSERT INTO partners (id, secret_hash, created_at) VALUES ('demo-wallet', '" + hash + "', 1)",
			"INSERT INTO partner_credentials (id, partner_id, n, kind, secret_hash, created_at) " +
				"SELECT id || '.1', id, 1, 'osmp', secret_hash, created_at FROM partners",
		} {
			_, err = db.Writer().Exec(statement)
			w.OK(err)
		}
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if _, err := w.Authenticate(t.Context(), partners.OSMP, wallet, secret, address); err != nil {
					t.Errorf("the right secret: %v", err)
				}
			})
			all.Go(func() {
				if _, err := w.Authenticate(t.Context(), partners.OSMP, wallet, secret+"x", "192.0.2.66"); err == nil {
					t.Error("a wrong secret was taken")
				}
			})
		}
		all.Wait()
		var kept string
		w.OK(db.Reader().QueryRow("SELECT secret_hash FROM partner_credentials").Scan(&kept))
		if !strings.HasPrefix(kept, "hmac-sha256:") || strings.Contains(kept, secret) {
			t.Error("the earlier hash was not replaced")
		}
		if access := w.taken(partners.OSMP, wallet, secret); access.Scopes.String() != "payments.check payments.pay payments.read" {
			t.Errorf("a partner of before may do %v", access.Scopes)
		}
		w.OK(w.fsck())
	})
}

// TestM3WrongSecretsBlockNobody: an address that is wrong too often is told to wait,
// whomever it names, and the right secret is taken from it and from everywhere else all the
// same. It hears nothing that tells a partner that there is from one that is made up.
func TestM3WrongSecretsBlockNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		secret, other := w.made(wallet, partners.OSMP)[0], w.made("other-bank", partners.OSMP)[0]
		keys := func(address string, n int, who func(i int) (id, secret string)) map[string]int {
			keys := map[string]int{}
			for i := range n {
				id, secret := who(i)
				_, err := w.Authenticate(t.Context(), partners.OSMP, id, secret, address)
				keys[problem.From(err).Key]++
			}
			return keys
		}
		for name, who := range map[string]func(i int) (id, secret string){
			"wrong":     func(int) (string, string) { return wallet, secret + "x" },
			"another's": func(int) (string, string) { return wallet, other },
			"none":      func(int) (string, string) { return wallet, "" },
			"made up":   func(i int) (string, string) { return fmt.Sprintf("made-up-%d", i), secret },
			"by turns":  func(i int) (string, string) { return []string{wallet, "made-up", "other-bank"}[i%3], "x" },
		} {
			if got := keys(name, 64, who); got["problem.partner_secret"] != 20 || got["problem.partner_wait"] != 44 {
				t.Errorf("%s: %v", name, got)
			}
			if _, err := w.Authenticate(t.Context(), partners.OSMP, wallet, secret, name); err != nil {
				t.Errorf("the right secret from the address of %s: %v", name, err)
			}
		}
		w.Pass(2 * time.Minute)
		if got := keys("wrong", 1, func(int) (string, string) { return wallet, "x" }); got["problem.partner_secret"] != 1 {
			t.Errorf("after a while: %v", got)
		}
	})
}

// TestCredentials: a secret opens its own door, for as long as it stands.
func TestCredentials(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		secrets := w.made(wallet, partners.OSMP, partners.OAuth)
		osmp, oauth := secrets[0], secrets[1]
		if _, err := w.Create(ctx, officer, wallet, partners.Terms{Scopes: partners.Operations}); !errors.Is(err, partners.ErrExists) {
			t.Errorf("a second partner of one id: %v", err)
		}
		for _, id := range []string{"", "Demo", "a", "../x", "a.b", strings.Repeat("a", 41)} {
			if _, err := w.Create(ctx, officer, id, partners.Terms{Scopes: partners.Operations}); err == nil {
				t.Errorf("the id %q was taken", id)
			}
		}
		if access := w.taken(partners.OAuth, wallet, oauth); access.Credential != "demo-wallet.2" {
			t.Errorf("taken as %+v", access)
		}
		w.taken(partners.OSMP, wallet, osmp)
		w.refused("another door's", partners.OSMP, wallet, oauth)
		w.refused("another door's too", partners.OAuth, wallet, osmp)
		w.refused("wrong", partners.OSMP, wallet, osmp+"x")
		w.refused("none", partners.OSMP, wallet, "")
		w.refused("nobody's", partners.OSMP, "nobody", osmp)

		w.OK(w.DisableCredential(ctx, officer, "demo-wallet.1"))
		w.refused("disabled", partners.OSMP, wallet, osmp)
		w.taken(partners.OAuth, wallet, oauth)
		w.OK(w.EnableCredential(ctx, officer, "demo-wallet.1"))
		w.taken(partners.OSMP, wallet, osmp)
		w.OK(w.Disable(ctx, officer, wallet))
		w.refused("of a disabled partner", partners.OAuth, wallet, oauth)
		w.OK(w.Enable(ctx, officer, wallet))
		w.OK(w.Revoke(ctx, officer, "demo-wallet.1"))
		w.refused("revoked", partners.OSMP, wallet, osmp)
		if err := w.EnableCredential(ctx, officer, "demo-wallet.1"); err == nil {
			t.Error("a revoked credential was enabled")
		}
		for what, err := range map[string]error{
			"a credential": w.Revoke(ctx, officer, "demo-wallet.9"), "a partner": w.Disable(ctx, officer, "nobody"),
			"a partner's credential": w.DisableCredential(ctx, officer, "nobody.1"),
		} {
			if !errors.Is(err, partners.ErrAbsent) {
				t.Errorf("%s that is not there: %v", what, err)
			}
		}
		list, err := w.Credentials(ctx, wallet)
		w.OK(err)
		if len(list) != 2 || list[0].State != partners.Revoked || list[1].State != partners.Valid || list[1].UsedOn != "2026-11-23" {
			t.Errorf("listed are %+v", list)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE actor = 'staff:aida' AND action LIKE 'partner.%'"); n != 8 {
			t.Errorf("%d records of 8 changes", n)
		}
		if n := w.Number("SELECT COUNT(*) FROM partner_credentials WHERE secret_hash LIKE '%" + osmp + "%' OR secret_hash NOT LIKE 'hmac-sha256:%'"); n != 0 {
			t.Error("a secret is kept otherwise than hashed")
		}
		w.OK(w.fsck())
	})
}

// TestRotation: two secrets of a kind are good meanwhile, and never three.
func TestRotation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.made(wallet, partners.OSMP)[0]
		next, err := w.Rotate(ctx, officer, wallet, partners.OSMP, time.Hour)
		w.OK(err)
		w.taken(partners.OSMP, wallet, first)
		if access := w.taken(partners.OSMP, wallet, next.Text); access.Credential != "demo-wallet.2" {
			t.Errorf("taken as %+v", access)
		}
		if _, err := w.Rotate(ctx, officer, wallet, partners.OSMP, time.Hour); err == nil || !strings.Contains(err.Error(), "demo-wallet.1") {
			t.Errorf("a third secret: %v", err)
		}
		other, err := w.Rotate(ctx, officer, wallet, partners.OAuth, 0) // the first of its kind
		w.OK(err)
		w.taken(partners.OAuth, wallet, other.Text)
		w.Pass(time.Hour)
		w.refused("outdated", partners.OSMP, wallet, first)
		now, err := w.Rotate(ctx, officer, wallet, partners.OSMP, 0)
		w.OK(err)
		w.refused("replaced at once", partners.OSMP, wallet, next.Text)
		w.taken(partners.OSMP, wallet, now.Text)
		for _, overlap := range []time.Duration{-1, partners.OverlapAtMost + 1} {
			if _, err := w.Rotate(ctx, officer, wallet, partners.OSMP, overlap); err == nil {
				t.Errorf("an overlap of %v", overlap)
			}
		}
		w.OK(w.fsck())
	})
}

// TestTerms: what a partner may do, from where and how often, from its next request on.
func TestTerms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		secret := w.made(wallet, partners.OSMP)[0]
		set := func(change func(*partners.Terms) error) {
			t.Helper()
			_, err := w.Set(ctx, officer, wallet, change)
			w.OK(err)
		}
		set(func(terms *partners.Terms) (err error) {
			terms.Networks, err = partners.ParseNetworks("198.51.100.7, 192.0.2.0/24 2001:db8::/32")
			return err
		})
		for from, want := range map[string]string{
			"192.0.2.200": "", "::ffff:198.51.100.7": "", "2001:db8::9": "", "198.51.100.8": "problem.partner_secret", "": "problem.partner_secret",
		} {
			_, err := w.Authenticate(ctx, partners.OSMP, wallet, secret, from)
			if key := problem.From(err).Key; err != nil && key != want || err == nil && want != "" {
				t.Errorf("from %q: %v", from, err)
			}
		}
		set(func(terms *partners.Terms) (err error) {
			terms.PerMinute, terms.PerDay = 3, 5
			terms.Scopes, err = partners.ParseScopes("payments.pay:fine payments.read")
			return err
		})
		for i, want := range []string{"", "", "", "minute"} {
			access, err := w.Authenticate(ctx, partners.OSMP, wallet, secret, address)
			if want == "" {
				w.OK(err)
				if access.Scopes.String() != "payments.pay:fine payments.read" {
					t.Errorf("it may do %v", access.Scopes)
				}
				if q := access.Quotas; len(q) != 2 || q[0].Name != "minute" || q[0].N != 3 || q[0].Left != 2-i || q[1].Name != "day" || q[1].Left != 4-i || q[1].Until <= 0 {
					t.Errorf("after request %d: %+v", i+1, q)
				}
			} else if p := problem.From(err); p.Key != "problem.partner_many" || p.RetryAfter > time.Minute || p.RetryAfter <= 0 || len(access.Quotas) != 1 || access.Quotas[0].Left != 0 {
				t.Errorf("request %d: %v after %v", i, err, p.RetryAfter)
			}
		}
		w.Pass(time.Minute)
		w.taken(partners.OSMP, wallet, secret)
		w.taken(partners.OSMP, wallet, secret)
		_, err := w.Authenticate(ctx, partners.OSMP, wallet, secret, address)
		if p := problem.From(err); p.Key != "problem.partner_many" || p.RetryAfter < time.Hour {
			t.Errorf("the sixth of the day: %v after %v", err, p.RetryAfter)
		}
		w.refused("beyond the limit", partners.OSMP, wallet, secret+"x") // a stranger hears nothing of it
		w.Pass(24 * time.Hour)
		w.taken(partners.OSMP, wallet, secret)
		for _, bad := range []partners.Terms{{}, {Scopes: partners.Operations, PerDay: -1}, {Scopes: partners.Operations, PerMinute: 1 << 40}} {
			if _, err := w.Set(ctx, officer, wallet, func(terms *partners.Terms) error { *terms = bad; return nil }); err == nil {
				t.Errorf("the terms %+v were taken", bad)
			}
		}
		w.OK(w.fsck())
	})
}

// TestFsckComparesPartners: whoever changes a row gives nobody more than an operator did.
func TestFsckComparesPartners(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.made(wallet, partners.OSMP, partners.OAuth)
		w.OK(w.Revoke(t.Context(), officer, "demo-wallet.1"))
		w.OK(w.fsck())
		list := []storetest.Plant{
			{Name: "a new credential", Named: []string{"demo-wallet.3"}, Statements: []string{
				"INSERT INTO partner_credentials (id, partner_id, n, kind, secret_hash, created_at) VALUES ('demo-wallet.3', 'demo-wallet', 3, 'osmp', 'x', 1)",
			}},
			{Name: "a new partner", Named: []string{"other-bank"}, Statements: []string{
				"INSERT INTO partners (id, secret_hash, created_at, per_day) VALUES ('other-bank', '', 1, 9)",
			}},
		}
		for _, set := range []string{"scopes = 'payments.pay'", "networks = '192.0.2.0/24'", "per_minute = 9", "per_day = 9", "disabled_at = 9"} {
			list = append(list, storetest.Plant{Name: set, Named: []string{"the partner demo-wallet"}, Statements: []string{"UPDATE partners SET " + set}})
		}
		for _, set := range []string{"revoked_at = NULL", "disabled_at = 9", "not_after_at = 9", "created_at = 9", "kind = 'oauth'", "n = 7", "thumbprint = 'x'"} {
			list = append(list, storetest.Plant{Name: set, Named: []string{"demo-wallet.1"}, Statements: []string{
				"UPDATE partner_credentials SET " + set + " WHERE id = 'demo-wallet.1'",
			}})
		}
		list = append(list,
			storetest.Plant{Name: "a revoked secret put back", Named: []string{"the secret of the credential demo-wallet.2"}, Statements: []string{
				"UPDATE partner_credentials SET secret_hash = (SELECT secret_hash FROM partner_credentials WHERE id = 'demo-wallet.1') WHERE id = 'demo-wallet.2'",
			}},
			storetest.Plant{Name: "a hash of one's own", Named: []string{"the secret of the credential demo-wallet.2"}, Statements: []string{
				"UPDATE partner_credentials SET secret_hash = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE id = 'demo-wallet.2'",
			}},
			storetest.Plant{Name: "another name", Named: []string{"demo-wallet.9"}, Statements: []string{
				"UPDATE partner_credentials SET id = 'demo-wallet.9' WHERE id = 'demo-wallet.2'",
			}},
			storetest.Plant{Name: "another's credential", Named: []string{"demo-wallet.2"}, Statements: []string{
				"INSERT INTO partners (id, secret_hash, created_at) VALUES ('other-bank', '', 1)",
				"UPDATE partner_credentials SET partner_id = 'other-bank' WHERE id = 'demo-wallet.2'",
			}},
			storetest.Plant{Name: "a partner's other name", Named: []string{"of what the partner"}, Statements: []string{
				"INSERT INTO partners (id, secret_hash, created_at, scopes) VALUES ('other-bank', '', 1, 'payments.pay')",
				"UPDATE partner_credentials SET partner_id = 'other-bank'",
				"UPDATE partners SET id = 'renamed-bank' WHERE id = 'demo-wallet'",
			}})
		storetest.Planted(t, db, list, w.compared)
		storetest.Covered(t, db, []string{"partners", "partner_credentials"}, list, unsaid)
	})
}

// TestAChangeIsNotMadeRightByTheNextOne: a row that somebody changed, and that an operator then
// changed otherwise, is named.
func TestAChangeIsNotMadeRightByTheNextOne(t *testing.T) {
	t.Parallel()
	for set, object := range map[string]string{
		"partners SET scopes = 'payments.check payments.pay payments.read', per_minute = 0": wallet, "partners SET networks = ''": wallet, "partners SET per_day = 0": wallet,
		"partner_credentials SET not_after_at = NULL": "demo-wallet.1", "partner_credentials SET not_after_at = NULL, revoked_at = NULL": "demo-wallet.1",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.made(wallet, partners.OSMP)
				_, err := w.Set(t.Context(), officer, wallet, func(terms *partners.Terms) (err error) {
					terms.Scopes, terms.PerMinute, terms.PerDay = partners.Scopes{partners.Check}, 5, 50
					terms.Networks, err = partners.ParseNetworks("192.0.2.0/24")
					return err
				})
				w.OK(err)
				_, err = w.Rotate(t.Context(), officer, wallet, partners.OSMP, time.Hour)
				w.OK(err)
				w.OK(w.Revoke(t.Context(), officer, "demo-wallet.1"))
				w.OK(w.fsck())
				if _, err := db.Writer().ExecContext(t.Context(), "UPDATE "+set); err != nil {
					t.Fatal(err)
				}
				w.OK(w.Disable(t.Context(), officer, wallet))
				w.OK(w.DisableCredential(t.Context(), officer, "demo-wallet.1"))
				if err := w.fsck(); err == nil || !strings.Contains(err.Error(), object+" was changed between the audit records ") {
					t.Errorf("%s is not named: %v", object, err)
				}
			})
		})
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"payments.read  payments.pay payments.read": "payments.pay payments.read", "payments.pay:fine": "payments.pay:fine", "": "",
		"payments.read:fine": "!", "payments": "!", "payments.pay:": "!", "payments.pay:Fine": "!", "payments.pay:a:b": "!", "\"": "!",
	} {
		scopes, err := partners.ParseScopes(text)
		if got := scopes.String(); err == nil && got != want || err != nil && want != "!" {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	granted, err := partners.ParseScopes("payments.check payments.pay:fine")
	testworld.OK(t, err)
	for text, want := range map[string]bool{
		"payments.check": true, "payments.check:fine": true, "payments.pay:fine": true, "payments.pay": false, "payments.pay:preschool": false, "payments.read": false,
	} {
		asked, err := partners.ParseScopes(text)
		testworld.OK(t, err)
		if granted.Cover(asked) != want {
			t.Errorf("%s within %s: %v", text, granted, !want)
		}
	}
	wide, err := partners.ParseScopes("payments.pay payments.check:fine payments.read")
	testworld.OK(t, err)
	if both := wide.And(granted).String(); both != "payments.check:fine payments.pay:fine" {
		t.Errorf("both allow %q", both)
	}
	if services, every := granted.Services(partners.Pay); every || len(services) != 1 || services[0] != "fine" {
		t.Errorf("paid are %v, %v", services, every)
	}
}
