package partner_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// issuer is our address in these tests.
const issuer = "https://eshik.example"

// counter is the token endpoint on the real store of partners.
type counter struct {
	*testworld.World
	known  *partners.Service
	app    *fiber.App
	secret string
}

func newCounter(t *testing.T, db *store.DB) *counter {
	t.Helper()
	c := &counter{World: testworld.New(t, db, testworld.Setup{})}
	var err error
	c.known, err = partners.New(partners.Deps{
		DB: db, Sealer: c.Sealer, Trail: c.Trail, Limiter: c.Limiter, Now: c.Now, Random: rand.Reader, Signer: signer(t, c.World), Issuer: issuer,
	})
	c.OK(err)
	made, err := c.known.Create(t.Context(), "aida", "demo-wallet", partners.Terms{Scopes: partners.Scopes{partners.Check, partners.Read}}, partners.OAuth)
	c.OK(err)
	c.secret = made[0].Text
	c.app = fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(c.Texts, c.Log)})
	c.OK((&partner.OAuth{Partners: c.known, PublicURL: issuer, Log: c.Log}).Register(c.app))
	return c
}

// answer is what the endpoint answers.
type answer struct {
	Status      int
	Header      http.Header
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Access      string `json:"access_token"`
	Type        string `json:"token_type"`
	Expires     int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// post sends a body, by HTTP Basic as it stands where basic has a name.
func (c *counter) post(basic [2]string, body string, change ...func(*http.Request)) (a answer) {
	c.T.Helper()
	request := httptest.NewRequest(http.MethodPost, partner.TokenPath, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic[0] != "" {
		request.SetBasicAuth(basic[0], basic[1])
	}
	for _, f := range change {
		f(request)
	}
	response, err := c.app.Test(request, -1)
	c.OK(err)
	defer func() { _ = response.Body.Close() }()
	a.Status, a.Header = response.StatusCode, response.Header
	c.OK(json.NewDecoder(response.Body).Decode(&a))
	return a
}

// TestTokenEndpoint holds the answers to RFC 6749, sections 4.4 and 5.
func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCounter(t, db)
		own := [2]string{"demo-wallet", c.secret}
		escaped := [2]string{strings.ReplaceAll("demo-wallet", "-", "%2D"), url.QueryEscape(c.secret)}
		header := func(name, value string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Add(name, value) }
		}
		const grant = "grant_type=client_credentials"
		for name, want := range map[string]struct {
			answer answer
			status int
			code   string
			scope  string
		}{
			"all":                     {c.post(own, grant), 200, "", "payments.check payments.read"},
			"percent-encoded":         {c.post(escaped, grant), 200, "", "payments.check payments.read"},
			"one":                     {c.post(own, grant+"&scope=payments.read"), 200, "", "payments.read"},
			"of one service":          {c.post(own, grant+"&scope=payments.read+payments.check%3Afine"), 200, "", "payments.check:fine payments.read"},
			"an empty scope":          {c.post(own, grant+"&scope="), 200, "", "payments.check payments.read"},
			"its own name again":      {c.post(own, grant+"&client_id=demo-wallet"), 200, "", "payments.check payments.read"},
			"what we do not know":     {c.post(own, grant+"&resource=https%3A%2F%2Feshik.example"), 200, "", "payments.check payments.read"},
			"more than allowed":       {c.post(own, grant+"&scope=payments.read+payments.pay"), 400, "invalid_scope", ""},
			"no scope":                {c.post(own, grant+"&scope=everything"), 400, "invalid_scope", ""},
			"no grant":                {c.post(own, "scope=payments.read"), 400, "invalid_request", ""},
			"another grant":           {c.post(own, "grant_type=password&username=a&password=b"), 400, "unsupported_grant_type", ""},
			"a grant twice":           {c.post(own, grant+"&"+grant), 400, "invalid_request", ""},
			"a scope twice":           {c.post(own, grant+"&scope=payments.read&scope=payments.check"), 400, "invalid_request", ""},
			"no form":                 {c.post(own, `{"grant_type":"client_credentials"}`, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 400, "invalid_request", ""},
			"broken escapes":          {c.post(own, grant+"&scope=%zz"), 400, "invalid_request", ""},
			"in the address":          {c.post(own, grant, func(r *http.Request) { r.URL.RawQuery = "scope=payments.read"; r.RequestURI = r.URL.RequestURI() }), 400, "invalid_request", ""},
			"another's name":          {c.post(own, grant+"&client_id=other-bank"), 400, "invalid_request", ""},
			"two ways":                {c.post(own, grant+"&client_secret="+c.secret), 400, "invalid_request", ""},
			"twice by Basic":          {c.post(own, grant, header("Authorization", "Basic eDp5")), 400, "invalid_request", ""},
			"nobody":                  {c.post([2]string{}, grant), 401, "invalid_client", ""},
			"the secret in the body":  {c.post([2]string{}, grant+"&client_id=demo-wallet&client_secret="+c.secret), 401, "invalid_client", ""},
			"a wrong secret":          {c.post([2]string{"demo-wallet", c.secret + "x"}, grant), 401, "invalid_client", ""},
			"no partner":              {c.post([2]string{"nobody", c.secret}, grant), 401, "invalid_client", ""},
			"a broken name":           {c.post([2]string{"demo%zzwallet", c.secret}, grant), 401, "invalid_client", ""},
			"another scheme":          {c.post([2]string{}, grant, header("Authorization", "Bearer "+c.secret)), 401, "invalid_client", ""},
			"wrong, of another grant": {c.post([2]string{"demo-wallet", "x"}, "grant_type=password"), 401, "invalid_client", ""},
		} {
			got := want.answer
			if got.Status != want.status || got.Error != want.code || got.Scope != want.scope {
				t.Errorf("%s: %d %q %q, want %d %q %q", name, got.Status, got.Error, got.Scope, want.status, want.code, want.scope)
			}
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Pragma") != "no-cache" {
				t.Errorf("%s may be kept: %v", name, got.Header)
			}
			if challenge := got.Header.Get("WWW-Authenticate"); strings.HasPrefix(challenge, "Basic ") != (want.status == 401) {
				t.Errorf("%s: %d with the challenge %q", name, got.Status, challenge)
			}
			if want.status != 200 {
				continue
			}
			if access, err := c.known.Authorize(t.Context(), got.Access, "192.0.2.1", ""); err != nil || access.Scopes.String() != want.scope || got.Type != "Bearer" || got.Expires != 300 {
				t.Errorf("%s: a token of %+v, %s for %d s: %v", name, access, got.Type, got.Expires, err)
			}
		}
	})
}

// TestTokenEndpointUnderFire: who guesses is told to wait, and the partner gets its token
// all the same; who asks more often than agreed hears until when.
func TestTokenEndpointUnderFire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCounter(t, db)
		const grant = "grant_type=client_credentials"
		var last answer
		for i := range 30 {
			last = c.post([2]string{"demo-wallet", "x"}, grant)
			if want := http.StatusUnauthorized; i < 20 && last.Status != want {
				t.Fatalf("guess %d: %d", i, last.Status)
			}
		}
		if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
			t.Errorf("after 30 guesses: %d %v", last.Status, last.Header)
		}
		own := [2]string{"demo-wallet", c.secret}
		if got := c.post(own, grant); got.Status != http.StatusOK {
			t.Errorf("the partner from the guesser's address: %d %s", got.Status, got.Error)
		}
		_, err := c.known.Set(t.Context(), "aida", "demo-wallet", func(terms *partners.Terms) error { terms.PerMinute = 1; return nil })
		c.OK(err)
		c.Pass(time.Minute)
		c.post(own, grant)
		if got := c.post(own, grant); got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || got.Error != "temporarily_unavailable" {
			t.Errorf("beyond the limit: %d %s %v", got.Status, got.Error, got.Header)
		}
	})
}

// TestOAuthAddresses: the metadata of RFC 8414, and no other method than POST for tokens.
func TestOAuthAddresses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCounter(t, db)
		var metadata map[string]any
		status, body := ask(t, c.app, httptest.NewRequest(http.MethodGet, partner.MetadataPath, nil), "")
		c.OK(json.Unmarshal([]byte(body), &metadata))
		for name, want := range map[string]string{
			"issuer": issuer, "token_endpoint": issuer + "/partner/oauth/token", "jwks_uri": issuer + "/.well-known/jwks.json",
		} {
			if metadata[name] != want || status != http.StatusOK {
				t.Errorf("%d: %s is %v", status, name, metadata[name])
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
			if status, _ := ask(t, c.app, httptest.NewRequest(method, partner.TokenPath+"?grant_type=client_credentials", nil), c.secret); status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", method, status)
			}
		}
	})
}
