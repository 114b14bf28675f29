package identity_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func (w *world) token(phone string) identity.Tokens {
	w.T.Helper()
	w.OK(w.send(w.by(phone)))
	tokens, err := w.service.IssueToken(w.T.Context(), w.by(phone), "", w.code(phone), "")
	w.OK(err)
	return tokens
}

func TestTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.OK(w.send(w.by(aigul)))
		code := w.code(aigul)
		_, err := w.service.IssueToken(t.Context(), w.by(aigul), "", wrong(code), "")
		w.refused(err, "code_wrong")
		tokens, err := w.service.IssueToken(t.Context(), w.by(aigul), "", code, "")
		w.OK(err)
		_, err = w.service.IssueToken(t.Context(), w.by(aigul), "", code, "")
		w.refused(err, "code_void")

		who, err := w.service.Authenticate(t.Context(), "Bearer "+tokens.Access)
		if err != nil || who != (identity.Principal{Phone: aigul, Level: caller.LevelCode, SignIn: who.SignIn}) || who.SignIn == "" {
			t.Fatalf("the token stands for %v, %v", who, err)
		}
		citizen, err := w.service.Prove(t.Context(), w.in(aigul, who.SignIn), aigulPIN, aigulDocument)
		w.OK(err)
		who, err = w.service.Authenticate(t.Context(), tokens.Access)
		if err != nil || who != (identity.Principal{Phone: aigul, CitizenID: citizen.ID, Level: caller.LevelWeak, SignIn: who.SignIn}) {
			t.Fatalf("the token stands for %v, %v", who, err)
		}
		for _, part := range strings.Split(tokens.Access, ".") {
			raw, _ := base64.RawURLEncoding.DecodeString(part)
			for _, secret := range []string{aigul, aigul[1:], aigul[4:], aigulPIN} {
				if strings.Contains(string(raw), secret) {
					t.Error("a phone or a personal number can be read in the token")
				}
			}
		}
		restarted, err := identity.New(w.deps)
		w.OK(err)
		_, err = restarted.Authenticate(t.Context(), tokens.Access)
		w.OK(err)
		if want := testworld.Start.Add(identity.TokenLasts); !tokens.ExpiresAt.Equal(want) {
			t.Errorf("the token expires at %v, want %v", tokens.ExpiresAt, want)
		}
		w.Pass(identity.TokenLasts)
		_, err = w.service.Authenticate(t.Context(), tokens.Access)
		w.refused(err, "token")
	})
}

func TestOneKeyOfManyStarts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if _, err := db.Writer().Exec("DELETE FROM identity_keys"); err != nil {
			t.Fatal(err)
		}
		services := make([]*identity.Service, 8)
		atOnce(len(services), func(i int) {
			var err error
			services[i], err = identity.New(w.deps)
			w.OK(err)
		})
		w.service = services[0]
		access := w.token(aigul).Access
		for _, s := range services {
			_, err := s.Authenticate(t.Context(), access)
			w.OK(err)
		}
	})
}

// forger makes tokens that look like ours.
type forger struct {
	header, claims map[string]any
	mine           *ecdsa.PrivateKey
	input          string // of the signature of a good token
	signature      string
}

func (f forger) with(header, claims map[string]any) string {
	h, c := maps.Clone(f.header), maps.Clone(f.claims)
	maps.Copy(h, header)
	maps.Copy(c, claims)
	return part(h) + "." + part(c)
}

func part(v map[string]any) string {
	maps.DeleteFunc(v, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (f forger) signed(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	input := f.with(header, claims)
	signature, err := jwt.SigningMethodES256.Sign(input, f.mine)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func newForger(t *testing.T, good string) forger {
	t.Helper()
	f := forger{}
	parts := strings.Split(good, ".")
	f.input, f.signature = parts[0]+"."+parts[1], parts[2]
	for i, into := range []*map[string]any{&f.header, &f.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if f.mine, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	return f
}

// forgeries are tokens that nobody of ours signed, by the ways that are known.
func (f forger) forgeries(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{
		"empty": "", "dots": "..", "word": "token", "no signature": f.input + ".", "two parts": f.input,
		"four parts": f.input + "." + f.signature + ".x", "spaces": " " + f.input + "." + f.signature + " x",
		"zero signature":  f.input + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"short signature": f.input + "." + f.signature[:40], "long signature": f.input + "." + f.signature + "AAAA",
		"own key": f.signed(t, nil, nil), "own key, no kid": f.signed(t, map[string]any{"kid": nil}, nil),
		"own key, other kid": f.signed(t, map[string]any{"kid": "t2"}, nil),
		"kid is a path":      f.signed(t, map[string]any{"kid": "../../dev/null"}, nil),
		"kid is SQL":         f.signed(t, map[string]any{"kid": "t1' OR '1'='1"}, nil),
		"kid is a number":    f.signed(t, map[string]any{"kid": 1}, nil),
		"own jku":            f.signed(t, map[string]any{"jku": "https://example.com/keys"}, nil),
		"own x5u":            f.signed(t, map[string]any{"x5u": "https://example.com/cert"}, nil),
		"own jwk":            f.signed(t, map[string]any{"jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, nil),
		"header changed":     f.with(map[string]any{"x": 1}, nil) + "." + f.signature,
	}
	for _, alg := range []string{"none", "None", "NONE", "HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "ES512", "EdDSA", "", "es256"} {
		list["alg "+alg] = f.with(map[string]any{"alg": alg}, nil) + "." + f.signature
		list["alg "+alg+", unsigned"] = f.with(map[string]any{"alg": alg}, nil) + "."
	}
	for name, value := range map[string]any{
		"exp": testworld.Start.Add(240 * time.Hour).Unix(), "sub": "somebody", "phn": "AAAA", "iss": "other", "aud": "other", "jti": "1", "nbf": 0, "sid": "other",
	} {
		list["claim "+name+" changed"] = f.with(nil, map[string]any{name: value}) + "." + f.signature
	}
	hmacSigned := f.with(map[string]any{"alg": "HS256"}, nil)
	der, err := jwt.SigningMethodHS256.Sign(hmacSigned, []byte("t1"))
	if err != nil {
		t.Fatal(err)
	}
	list["HMAC by the kid"] = hmacSigned + "." + base64.RawURLEncoding.EncodeToString(der)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	edSigned := f.with(map[string]any{"alg": "EdDSA"}, nil)
	list["EdDSA by another"] = edSigned + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(edwards, []byte(edSigned)))
	return list
}

func TestForgedTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		good := w.token(aigul).Access
		if _, err := w.service.Authenticate(t.Context(), good); err != nil {
			t.Fatal(err)
		}
		forgeries := newForger(t, good).forgeries(t)
		if len(forgeries) < 50 {
			t.Fatalf("only %d forgeries", len(forgeries))
		}
		for name, forged := range forgeries {
			who, err := w.service.Authenticate(t.Context(), forged)
			if err == nil || who != (identity.Principal{}) {
				t.Errorf("%s: it stands for somebody", name)
				continue
			}
			if text := fmt.Sprint(err); !strings.Contains(text, "problem.identity_token") || len(text) > 80 {
				t.Errorf("%s: the error tells more than it should: %s", name, text)
			}
		}
	})
}

// TestOurOwnKeyIsNotEnough signs with the service's key what it would not sign.
func TestOurOwnKeyIsNotEnough(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f := newForger(t, w.token(aigul).Access)
		f.mine = w.service.SigningKey()
		if _, err := w.service.Authenticate(t.Context(), f.signed(t, nil, nil)); err != nil {
			t.Fatalf("the forger does not forge well: %v", err)
		}
		other := w.service.SealPhone(bakyt)
		for name, claims := range map[string]map[string]any{
			"no expiry": {"exp": nil}, "expired": {"exp": testworld.Start.Unix() - 1}, "not yet": {"nbf": testworld.Start.Unix() + 60},
			"issued later": {"iat": testworld.Start.Unix() + 60}, "no issuer": {"iss": nil}, "other issuer": {"iss": "other"},
			"no audience": {"aud": nil}, "other audience": {"aud": "eshik/partner"}, "no phone": {"phn": nil},
			"no subject": {"sub": nil}, "other's phone": {"phn": other}, "phone in plain": {"phn": aigul},
		} {
			if _, err := w.service.Authenticate(t.Context(), f.signed(t, nil, claims)); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
		for name, header := range map[string]map[string]any{
			"critical": {"crit": []string{"x"}}, "other type": {"typ": "JWT"}, "no type": {"typ": nil},
		} {
			if _, err := w.service.Authenticate(t.Context(), f.signed(t, header, nil)); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
	})
}
