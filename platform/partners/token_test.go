package partners_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// nobody is a register that knows no person.
type nobody struct{}

// CheckPerson implements identity.PersonRegistry.
func (nobody) CheckPerson(context.Context, registry.Call, string, string) (registry.Person, error) {
	return registry.Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
}

// signer is the real one.
func signer(t *testing.T, w *testworld.World) *identity.Service {
	t.Helper()
	s, err := identity.New(identity.Deps{
		DB: w.DB, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Registry: nobody{}, Texts: w.Texts,
		Now: w.Now, Random: rand.Reader, Log: w.Log,
	})
	w.OK(err)
	return s
}

func (w *world) token(access partners.Access, scope string) string {
	w.T.Helper()
	token, err := w.Issue(w.T.Context(), access, scope)
	w.OK(err)
	return token.Text
}

// none wants a token to be good for nothing.
func (w *world) none(what, token string) {
	w.T.Helper()
	if access, err := w.Authorize(w.T.Context(), token, address, ""); problem.From(err).Key != "problem.partner_token" {
		w.T.Errorf("%s: %+v, %v", what, access, err)
	}
}

// TestTokens: a token is good for what it was asked for and the partner is still allowed,
// and ends with the credential that got it, its partner and its key, at once.
func TestTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		secrets := w.made(wallet, partners.OSMP, partners.OAuth)
		access := w.taken(partners.OAuth, wallet, secrets[1])
		for scope, want := range map[string]string{
			"": "events.read payments.check payments.pay payments.quote payments.read webhooks.manage", "payments.read": "payments.read", "payments.pay:fine payments.check": "payments.check payments.pay:fine",
		} {
			got, err := w.Authorize(ctx, w.token(access, scope), address, "")
			if err != nil || got.Scopes.String() != want || got.Partner != wallet || got.Credential != "demo-wallet.2" {
				t.Errorf("for %q: %+v, %v", scope, got, err)
			}
		}
		for _, scope := range []string{"payments.refund", "payments.pay payments.all", "payments.read:fine", "\x00"} {
			if _, err := w.Issue(ctx, access, scope); !errors.Is(err, partners.ErrScope) {
				t.Errorf("a token for %q: %v", scope, err)
			}
		}
		token := w.token(access, "")
		good := func() {
			t.Helper()
			_, err := w.Authorize(ctx, token, address, "")
			w.OK(err)
		}
		_, err := w.Set(ctx, officer, wallet, func(terms *partners.Terms) error { terms.Scopes = partners.Scopes{"payments.read"}; return nil })
		w.OK(err)
		if got, err := w.Authorize(ctx, token, address, ""); err != nil || got.Scopes.String() != "payments.read" {
			t.Errorf("a partner that may only read: %+v, %v", got, err)
		}
		if _, err := w.Issue(ctx, w.taken(partners.OAuth, wallet, secrets[1]), "payments.pay"); !errors.Is(err, partners.ErrScope) {
			t.Errorf("it asks for more: %v", err)
		}
		w.OK(w.Disable(ctx, officer, wallet))
		w.none("of a disabled partner", token)
		w.OK(w.Enable(ctx, officer, wallet))
		good()
		w.OK(w.DisableCredential(ctx, officer, "demo-wallet.2"))
		w.none("of a disabled credential", token)
		w.OK(w.EnableCredential(ctx, officer, "demo-wallet.2"))
		good()
		w.Pass(partners.TokenLasts - 2*time.Second)
		good()
		w.Pass(2 * time.Second)
		w.none("over", token)
		token = w.token(access, "")
		_, err = w.signer.ReplaceTokenKey(ctx, staff.Act{Actor: "staff:" + officer})
		w.OK(err)
		w.none("of a revealed key", token)
		token = w.token(access, "")
		good()
		w.OK(w.Revoke(ctx, officer, "demo-wallet.2"))
		w.none("of a revoked credential", token)
	})
}

// TestATokenIsOfItsDoor: a partner's token is no citizen's, whatever is changed in it, nor
// one of another kind or audience that our own key signed.
func TestATokenIsOfItsDoor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		secrets := w.made(wallet, partners.OSMP, partners.OAuth)
		token := w.token(w.taken(partners.OAuth, wallet, secrets[1]), "")
		if p, err := w.signer.Authenticate(ctx, token); problem.From(err).Key != "problem.identity_token" {
			t.Errorf("as a citizen's: %+v, %v", p, err)
		}
		if _, err := w.signer.SignToken(ctx, "at+jwt", map[string]string{}); err == nil {
			t.Error("a token of the citizens' type was signed")
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		w.OK(err)
		sign := func(typ string, change map[string]any) string {
			t.Helper()
			claims := map[string]any{}
			w.OK(json.Unmarshal(payload, &claims))
			for name, value := range change {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
			text, err := w.signer.SignToken(ctx, typ, claims)
			w.OK(err)
			return text
		}
		const typ = "application/at+jwt"
		if _, err := w.Authorize(ctx, sign(typ, nil), address, ""); err != nil {
			t.Fatalf("the forger does not forge well: %v", err)
		}
		w.none("of another type", sign("JWT", nil))
		w.none("of no type", sign("", nil))
		now := w.Clock.Now().Unix()
		for name, change := range map[string]map[string]any{
			"a citizen's audience": {"aud": "eshik/citizen"}, "no audience": {"aud": nil}, "a citizen's issuer": {"iss": "eshik"}, "no issuer": {"iss": nil},
			"no end": {"exp": nil}, "over": {"exp": now}, "not yet": {"nbf": now + 60}, "of the future": {"iat": now + 60}, "no beginning": {"iat": nil},
			"another client": {"client_id": "other-bank", "sub": "other-bank"}, "two names": {"sub": "other-bank"}, "an OSMP credential": {"cred": "demo-wallet.1"},
			"no credential": {"cred": nil}, "one that is not there": {"cred": "demo-wallet.9"}, "no scope that there is": {"scope": "everything"},
		} {
			w.none(name, sign(typ, change))
		}
		if got, err := w.Authorize(ctx, sign(typ, map[string]any{"scope": ""}), address, ""); err != nil || len(got.Scopes) != 0 {
			t.Errorf("a token for nothing: %+v, %v", got, err)
		}
		for name, text := range map[string]string{"nothing": "", "no token": "a.b.c", "cut": token[:len(token)-1], "with more": token + "A"} {
			w.none(name, text)
		}
	})
}
