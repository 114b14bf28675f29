package identity_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// kidOf is the id of the key that signed a token.
func kidOf(t *testing.T, access string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Alg, Kid, Typ string }
	if err := json.Unmarshal(raw, &header); err != nil || header.Alg != "ES256" || header.Typ != "at+jwt" {
		t.Fatalf("the header is %s, %v", raw, err)
	}
	return header.Kid
}

// published are the ids of the keys that everybody is given.
func published(t *testing.T, s *identity.Service) (ids []string) {
	t.Helper()
	keys, err := s.PublicKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Use != "sig" || k.Algorithm != "ES256" || k.Type != "EC" || k.ID != k.Thumbprint() {
			t.Errorf("a key is published as %+v", k)
		}
		ids = append(ids, k.ID)
	}
	return ids
}

func (w *world) rotate() identity.TokenKey {
	w.T.Helper()
	key, made, err := w.service.RotateTokenKey(w.T.Context(), staff.Act{Actor: "staff:officer"})
	w.OK(err)
	if !made || key.State != identity.KeyWaits {
		w.T.Fatalf("no new key: %+v", key)
	}
	return key
}

// states are those of all keys, the oldest first.
func (w *world) states() (all []identity.KeyState) {
	w.T.Helper()
	keys, err := w.service.TokenKeys(w.T.Context())
	w.OK(err)
	for _, k := range keys {
		all = append(all, k.State)
	}
	return all
}

// TestAKeyIsPublishedBeforeItSigns: and the former as long as its tokens last.
func TestAKeyIsPublishedBeforeItSigns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		other, err := identity.New(w.deps)
		w.OK(err)
		signIn := w.device(aigul, "")
		first := kidOf(t, signIn.Access)
		next := w.rotate()
		again, made, err := w.service.RotateTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
		if err != nil || made || again != next {
			t.Errorf("beside a key that waits another is made: %+v, %v", again, err)
		}
		renew := func(key string) string {
			signIn = w.refreshed(signIn.Refresh, key)
			return signIn.Access
		}
		if !slices.Equal(w.states(), []identity.KeyState{identity.KeySigns, identity.KeyWaits}) || kidOf(t, renew("1")) != first {
			t.Errorf("a key signs that was published just now: %v", w.states())
		}
		w.Pass(identity.KeysCached) // longer than an instance goes without reading the ring
		if got := published(t, other); !slices.Equal(got, []string{first, next.ID}) {
			t.Errorf("published are %v", got)
		}
		w.Pass(identity.KeyLeads - identity.KeysCached - 1)
		last := renew("2")
		if kidOf(t, last) != first {
			t.Error("the new key signs early")
		}
		w.Pass(1)
		if kidOf(t, renew("3")) != next.ID || !slices.Equal(w.states(), []identity.KeyState{identity.KeyVerifies, identity.KeySigns}) {
			t.Errorf("the new key does not sign: %v", w.states())
		}
		w.Pass(identity.TokenLasts - 2*time.Second) // an expiry is in whole seconds
		for _, s := range []*identity.Service{w.service, other} {
			if _, err := s.Authenticate(t.Context(), last); err != nil {
				t.Errorf("the former key's last token: %v", err)
			}
		}
		w.Pass(identity.TokenLasts)
		if got := published(t, other); !slices.Equal(got, []string{next.ID}) || w.states()[0] != identity.KeyOver {
			t.Errorf("published are %v, of the states %v", got, w.states())
		}
		w.OK(w.service.ForgetKeys(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM identity_keys"); n != 2 {
			t.Errorf("%d keys are kept", n)
		}
		w.Pass(25 * time.Hour)
		w.OK(w.service.ForgetKeys(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM identity_keys"); n != 1 || kidOf(t, renew("4")) != next.ID {
			t.Errorf("%d keys are kept", n)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.key.made' AND actor = 'staff:officer'"); n != 1 {
			t.Errorf("%d records of the rotation", n)
		}
		w.fsck("rotated")
	})
}

// TestAReplacedKeyEndsItsTokens: at once, on every instance; the sign-ins go on.
func TestAReplacedKeyEndsItsTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		other, err := identity.New(w.deps)
		w.OK(err)
		signIn := w.device(aigul, "")
		if _, err := other.Authenticate(t.Context(), signIn.Access); err != nil {
			t.Fatal(err)
		}
		older := newForger(t, signIn.Access) // a token that names no sign-in, as versions before made
		older.mine = w.service.SigningKey()
		before := older.signed(t, nil, map[string]any{"sid": nil})
		if !w.goodFor(before) {
			t.Fatal("the forger does not forge well")
		}
		w.rotate()
		key, err := w.service.ReplaceTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
		w.OK(err)
		for _, s := range []*identity.Service{w.service, other} {
			if got := published(t, s); !slices.Equal(got, []string{key.ID}) { // at once: others keep what they read
				t.Errorf("published right away are %v", got)
			}
			for _, access := range []string{signIn.Access, before} {
				_, err := s.Authenticate(t.Context(), access)
				w.refused(err, "token")
			}
		}
		next := w.refreshed(signIn.Refresh, "1").Access
		if kidOf(t, next) != key.ID || key.State != identity.KeySigns {
			t.Errorf("another key than %+v signs", key)
		}
		w.Pass(time.Second) // an unknown kid has the ring read anew, once a second
		for _, s := range []*identity.Service{w.service, other} {
			if _, err := s.Authenticate(t.Context(), next); err != nil {
				t.Errorf("a token of the new key: %v", err)
			}
		}
		if !slices.Equal(w.states(), []identity.KeyState{identity.KeyRevoked, identity.KeyRevoked, identity.KeySigns}) {
			t.Errorf("the keys are %v", w.states())
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.key.revoked'"); n != 2 {
			t.Errorf("%d records of revoked keys", n)
		}
		if n := w.Number("SELECT COUNT(*) FROM identity_keys WHERE LENGTH(private_sealed) > 0"); n != 1 {
			t.Errorf("%d private halves are kept", n)
		}
		if _, err := db.Writer().ExecContext(t.Context(), "UPDATE identity_keys SET revoked_at = NULL"); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Minute)
		if w.goodFor(signIn.Access) || !w.goodFor(next) {
			t.Error("a revoked key came back by SQL")
		}
	})
}

// TestAnUnknownKeyIsAskedForOnce a second, whoever invents kids.
func TestAnUnknownKeyIsAskedForOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f := newForger(t, w.token(aigul).Access)
		forged := f.signed(t, map[string]any{"kid": "other"}, nil)
		for _, c := range []struct {
			after time.Duration
			read  bool
		}{{0, false}, {time.Second - 1, false}, {1, true}, {0, false}, {time.Second, true}} {
			w.Pass(c.after)
			before := w.service.KeysReadAt()
			if _ = w.goodFor(forged); w.service.KeysReadAt().After(before) != c.read {
				t.Errorf("%v later the keys are read: %v, want %v", c.after, !c.read, c.read)
			}
		}
	})
}

// TestRotationUnderLoad: while keys are rotated, apps go on signing in, exchanging and using
// their tokens with two instances; none is refused.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		other, err := identity.New(w.deps)
		w.OK(err)
		instances := []*identity.Service{w.service, other}
		apps := []*app{{w: w, phone: aigul}, {w: w, phone: bakyt}, {w: w, phone: second}, {w: w, phone: third}}
		for _, a := range apps {
			a.tokens = w.device(a.phone, "")
		}
		kids := map[string]bool{}
		for minute := range 200 {
			atOnce(len(apps)+1, func(i int) {
				if i < len(apps) {
					apps[i].minute(instances, minute)
				} else if minute == 10 || minute == 110 {
					w.rotate()
				}
			})
			for _, a := range apps {
				kids[kidOf(t, a.tokens.Access)] = true
			}
			w.Pass(time.Minute)
		}
		if len(kids) != 3 {
			t.Errorf("tokens of %d keys were used", len(kids))
		}
		for _, a := range apps {
			if a.refused != 0 || a.used < 800 {
				t.Errorf("of %d requests %d were refused", a.used, a.refused)
			}
		}
		w.fsck("rotated twice")
	})
}

// app is a signed-in app that uses its tokens.
type app struct {
	w             *world
	phone         string
	tokens        identity.Tokens
	used, refused int
}

// minute is what an app does in a minute: requests to each instance, and now and then an
// exchange of its refresh token.
func (a *app) minute(instances []*identity.Service, n int) {
	ctx := a.w.T.Context()
	if n%7 == 6 {
		tokens, err := instances[n%2].Refresh(ctx, a.w.by(""), a.tokens.Refresh)
		if err != nil {
			a.refused++
			return
		}
		a.tokens = tokens
	}
	for range 2 {
		for _, s := range instances {
			a.used++
			if _, err := s.Authenticate(ctx, a.tokens.Access); err != nil {
				a.refused++
			}
		}
	}
}

// TestRotationsAtOnce make one key, and a replacement beside them stands.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var mu sync.Mutex
		made := 0
		atOnce(6, func(int) {
			_, new, err := w.service.RotateTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
			w.OK(err)
			mu.Lock()
			defer mu.Unlock()
			if new {
				made++
			}
		})
		if made != 1 || w.Number("SELECT COUNT(*) FROM identity_keys") != 2 {
			t.Errorf("%d keys were made", made)
		}
		atOnce(3, func(int) {
			_, err := w.service.ReplaceTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
			w.OK(err)
		})
		if n := w.Number("SELECT COUNT(*) FROM identity_keys WHERE revoked_at IS NULL"); n != 1 {
			t.Errorf("%d keys stand", n)
		}
		w.fsck("replaced")
	})
}

// legacyKey puts the first key as versions before made it: by another name and seal, without
// a record.
func (w *world) legacyKey() {
	w.T.Helper()
	sealed := w.service.SealLegacyKey()
	for _, statement := range []string{"DELETE FROM audit_records", "DELETE FROM identity_keys"} {
		if _, err := w.DB.Writer().ExecContext(w.T.Context(), statement); err != nil {
			w.T.Fatal(err)
		}
	}
	_, err := w.DB.Writer().ExecContext(w.T.Context(),
		"INSERT INTO identity_keys (slot, kid, private_sealed, created_at, signs_from_at) VALUES (1, 't1', $1, 1, 1)", sealed)
	w.OK(err)
	w.rebuild()
}

// TestAKeyOfBefore signs and verifies until it is rotated out.
func TestAKeyOfBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.legacyKey()
		f := newForger(t, w.token(aigul).Access)
		f.mine = w.service.SigningKey()
		before := f.signed(t, nil, map[string]any{"sid": nil, "nbf": testworld.Start.Unix()})
		if f.header["kid"] != "t1" || !w.goodFor(before) {
			t.Fatalf("the key of before is %v", f.header["kid"])
		}
		w.rotate()
		w.fsck("rotated")
		if !w.goodFor(before) {
			t.Error("a token of before is refused")
		}
		w.Pass(identity.KeyLeads)
		if kid := kidOf(t, w.token(bakyt).Access); kid == "t1" {
			t.Error("the key of before still signs")
		}
		_, err := w.service.ReplaceTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
		w.OK(err)
		w.fsck("replaced")
		w.changed("the key t1", "UPDATE identity_keys SET revoked_at = NULL WHERE kid = 't1'")
	})
}

// TestARowThatIsNoKey is not used, is told of once, and keeps nobody from signing in.
func TestARowThatIsNoKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := kidOf(t, w.token(aigul).Access)
		if _, err := db.Writer().ExecContext(t.Context(),
			"INSERT INTO identity_keys (slot, kid, private_sealed, created_at, signs_from_at) SELECT 2, 'x', private_sealed, 1, 1 FROM identity_keys"); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Minute)
		for range 2 {
			if kid := kidOf(t, w.token(bakyt).Access); kid != first {
				t.Errorf("%s signs", kid)
			}
			w.Pass(10 * time.Minute)
		}
		if got := published(t, w.service); !slices.Equal(got, []string{first}) || !slices.Equal(w.states(), []identity.KeyState{identity.KeySigns, identity.KeyBroken}) {
			t.Errorf("published are %v, the keys are %v", got, w.states())
		}
		if n := strings.Count(w.Logs.String(), "a key of tokens is not used"); n != 1 {
			t.Errorf("the log says so %d times", n)
		}
		if _, err := db.Writer().ExecContext(t.Context(), "DELETE FROM identity_keys WHERE slot = 1"); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.New(w.deps); err == nil || !strings.Contains(err.Error(), "no key of tokens") {
			t.Errorf("a start without a key: %v", err)
		}
	})
}

// TestPlantedKeys: whoever changes a key of tokens is found.
func TestPlantedKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		_, err := w.service.ReplaceTokenKey(t.Context(), staff.Act{Actor: "staff:officer"})
		w.OK(err)
		w.rotate()
		var plants []storetest.Plant
		for set, named := range map[string]string{
			"revoked_at = NULL WHERE revoked_at > 0":           "otherwise than the audit record",
			"revoked_at = revoked_at + 1 WHERE revoked_at > 0": "otherwise than the audit record",
			"revoked_at = 1 WHERE slot = 2":                    "otherwise than the audit record",
			"signs_from_at = 1 WHERE slot = 3":                 "otherwise than the audit record",
			"created_at = created_at + 1 WHERE slot = 2":       "otherwise than the audit record",
			"slot = 9 WHERE slot = 2":                          "otherwise than the audit record",
			"private_sealed = (SELECT x.private_sealed FROM identity_keys x WHERE x.slot = 3) WHERE slot = 2": "otherwise than the audit record",
			"kid = 'x' WHERE slot = 2":  "nothing of the key x",
			"kid = 't1' WHERE slot = 2": "the key t1",
		} {
			plants = append(plants, storetest.Plant{Name: set, Statements: []string{"UPDATE identity_keys SET " + set}, Named: []string{named}})
		}
		storetest.Covered(t, db, []string{"identity_keys"}, plants, nil)
		storetest.Planted(t, db, plants, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}
