package esi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sandbox"
)

const (
	redirect = "http://127.0.0.1:1/back"
	aigulPIN = "11503198800011"
	verifier = "a-verifier-of-forty-three-characters-or-more-0001"
	nonce    = "a-nonce"
)

// world is the sandbox's provider over HTTP, the client that asks it, and a clock.
type world struct {
	t      *testing.T
	now    atomic.Int64
	sim    *sandbox.World
	box    *sandbox.ESI
	client *esi.Client
	server *httptest.Server
	asked  atomic.Int64 // for keys
}

func newWorld(t *testing.T, change func(*esi.Config)) *world {
	t.Helper()
	w := &world{t: t}
	w.now.Store(testworld.Start.UnixNano())
	var err error
	if w.sim, err = sandbox.NewWorld("", w.clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sim.Close() })
	w.server = httptest.NewServer(nil)
	t.Cleanup(w.server.Close)
	address := func() string { return w.server.URL + sandbox.ESIPath }
	if w.box, err = w.sim.NewESI(sandbox.ESIConfig{
		Issuer: address, Pages: func() string { return w.server.URL + sandbox.ESIPages }, Redirect: func() string { return redirect },
	}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(sandbox.ESIPages+"/", w.box.PagesHandler())
	mux.Handle("/", w.box.Handler())
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jwks") {
			w.asked.Add(1)
		}
		mux.ServeHTTP(rw, r)
	})
	config := esi.Config{
		Issuer: address(), ClientID: sandbox.ESIClient, ClientSecret: sandbox.ESISecret, RedirectURL: redirect, Now: w.clock,
	}
	if change != nil {
		change(&config)
	}
	if w.client, err = esi.New(config); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time     { return time.Unix(0, w.now.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.now.Add(int64(d)) }

// post sends a form of the provider's pages and gives where it leads.
func (w *world) post(address string, form url.Values) *url.URL {
	w.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(address, form)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		w.t.Fatalf("the page answers %d", resp.StatusCode)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		w.t.Fatal(err)
	}
	return to
}

// code signs Айгүл in by a browser and gives the code that comes back.
func (w *world) code() string {
	w.t.Helper()
	address, err := w.client.Address(w.t.Context(), "a-state", nonce, verifier)
	if err != nil {
		w.t.Fatal(err)
	}
	back := w.post(address, url.Values{"person": {aigulPIN}, "decision": {"approve"}}).Query()
	if back.Get("state") != "a-state" || back.Get("code") == "" {
		w.t.Fatalf("came back with %v", back)
	}
	return back.Get("code")
}

func (w *world) begun() esi.Begun { return esi.Begun{At: w.clock(), Nonce: nonce, Verifier: verifier} }

// TestBrowser: who signed in, and that the address has what PKCE and OpenID Connect ask for and
// no secret.
func TestBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	address, err := w.client.Address(t.Context(), "a-state", nonce, verifier)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(address)
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") != nonce || q.Get("redirect_uri") != redirect || q.Get("prompt") != "login" ||
		strings.Contains(address, verifier) || strings.Contains(address, sandbox.ESISecret) {
		t.Fatalf("the address is %s", address)
	}
	person, err := w.client.Exchange(t.Context(), w.code(), w.begun())
	want := esi.Person{
		PIN: aigulPIN, GivenName: "Айгүл", FamilyName: "Асанова", Phone: "+996555000001", PhoneVerified: true, Token: person.Token,
	}
	if err != nil || person != want || len(person.Token) != hex.EncodedLen(sha256.Size) {
		t.Fatalf("%+v, %v", person, err)
	}
}

// TestCodeIsGoodOnce: a code that was used, one of another sign-in, and one without the verifier.
func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	code := w.code()
	if _, err := w.client.Exchange(t.Context(), code, w.begun()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Exchange(t.Context(), code, w.begun()); !errors.Is(err, esi.ErrRefused) {
		t.Errorf("the same code again: %v", err)
	}
	other := w.begun()
	other.Verifier += "x"
	if _, err := w.client.Exchange(t.Context(), w.code(), other); !errors.Is(err, esi.ErrRefused) {
		t.Errorf("with another verifier: %v", err)
	}
	if _, err := w.client.Exchange(t.Context(), "invented", w.begun()); !errors.Is(err, esi.ErrRefused) {
		t.Errorf("an invented code: %v", err)
	}
	late := w.code()
	w.pass(2 * time.Minute)
	if _, err := w.client.Exchange(t.Context(), late, w.begun()); !errors.Is(err, esi.ErrRefused) {
		t.Errorf("a code that came late: %v", err)
	}
}

// TestForged: no ID token is believed that says or is signed otherwise than agreed.
func TestForged(t *testing.T) {
	t.Parallel()
	for _, how := range []sandbox.Forgery{
		sandbox.ForgeNonce, sandbox.ForgeAudience, sandbox.ForgeParty, sandbox.ForgeIssuer, sandbox.ForgeNone, sandbox.ForgeHS256,
		sandbox.ForgeKey, sandbox.ForgeExpired, sandbox.ForgeFuture, sandbox.ForgeOld, sandbox.ForgeSubject, sandbox.ForgeSession,
	} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.box.Forge(how)
			person, err := w.client.Exchange(t.Context(), w.code(), w.begun())
			if !errors.Is(err, esi.ErrRefused) || person.PIN != "" {
				t.Fatalf("%+v, %v", person, err)
			}
			if strings.Contains(err.Error(), aigulPIN) {
				t.Fatalf("the error tells of the person: %v", err)
			}
			w.box.Forge("")
			if _, err := w.client.Exchange(t.Context(), w.code(), w.begun()); err != nil {
				t.Fatalf("a good one after it: %v", err)
			}
		})
	}
}

// TestReplayedToken: an ID token that was given before is of another sign-in by its nonce.
func TestReplayedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.client.Exchange(t.Context(), w.code(), w.begun()); err != nil {
		t.Fatal(err)
	}
	w.box.Forge(sandbox.ForgeReplay)
	other := w.begun()
	other.Nonce = "the next sign-in's"
	if _, err := w.client.Exchange(t.Context(), w.code(), other); !errors.Is(err, esi.ErrRefused) {
		t.Fatal(err)
	}
}

// TestKeysRotate: a new key is asked for once, and an unknown one does not make us ask for ever.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	exchange := func() error { _, err := w.client.Exchange(t.Context(), w.code(), w.begun()); return err }
	if err := exchange(); err != nil || w.asked.Load() != 1 {
		t.Fatalf("%d questions, %v", w.asked.Load(), err)
	}
	w.pass(time.Minute)
	if err := w.box.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(exchange(), exchange()); err != nil || w.asked.Load() != 2 {
		t.Fatalf("after a rotation %d questions, %v", w.asked.Load(), err)
	}
	for range 20 { // each is signed by a key that was not published when we asked last
		if err := w.box.Rotate(); err != nil {
			t.Fatal(err)
		}
		_ = exchange()
	}
	if n := w.asked.Load(); n > 3 {
		t.Fatalf("%d questions for keys", n)
	}
	w.pass(time.Minute)
	if err := exchange(); err != nil {
		t.Fatalf("a minute later: %v", err)
	}
}

// TestDevice: a device waits, is slowed down, and is given the person once.
func TestDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	d, err := w.client.Begin(t.Context())
	if err != nil || d.Interval != 5*time.Second || len(d.UserCode) != 9 || d.Address != w.server.URL+sandbox.ESIPages+"/device" || !d.ExpiresAt.Equal(w.clock().Add(10*time.Minute)) {
		t.Fatalf("%+v, %v", d, err)
	}
	begun := esi.Begun{At: w.clock()}
	ask := func() (esi.Person, error) { return w.client.Ask(t.Context(), d.Code, begun) }
	if _, err := ask(); !errors.Is(err, esi.ErrPending) {
		t.Fatal(err)
	}
	if _, err := ask(); !errors.Is(err, esi.ErrSlowDown) {
		t.Fatal(err)
	}
	w.post(d.Address, url.Values{"user_code": {strings.ToLower(d.UserCode)}, "person": {aigulPIN}, "phone": {"unverified"}, "decision": {"approve"}})
	w.pass(time.Minute)
	if person, err := ask(); err != nil || person.PIN != aigulPIN || person.Phone == "" || person.PhoneVerified {
		t.Fatalf("%+v, %v", person, err)
	}
	if _, err := ask(); !errors.Is(err, esi.ErrRefused) {
		t.Fatalf("a device code that was used: %v", err)
	}
}

// TestDeviceEnds: the user says no, or says nothing.
func TestDeviceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	begin := func() esi.Device {
		d, err := w.client.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := begin()
	w.post(d.Address, url.Values{"user_code": {d.UserCode}, "decision": {"deny"}})
	if _, err := w.client.Ask(t.Context(), d.Code, esi.Begun{At: w.clock()}); !errors.Is(err, esi.ErrDenied) {
		t.Fatal(err)
	}
	d = begin()
	w.pass(11 * time.Minute)
	if _, err := w.client.Ask(t.Context(), d.Code, esi.Begun{At: w.clock()}); !errors.Is(err, esi.ErrExpired) {
		t.Fatal(err)
	}
}

// TestDown: a provider that fails, sends half an answer or another shape gives nobody, and after
// some failures is not asked for a while.
func TestDown(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"outage": {Outage: true}, "half": {CutBody: true}, "shape": {WrongSchema: true}, "lost": {LoseAnswers: -1}, "slow": {DelayMS: 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *esi.Config) { c.Timeout = 300 * time.Millisecond })
			code := w.code()
			if err := w.sim.SetFault(sandbox.SystemESI, fault); err != nil {
				t.Fatal(err)
			}
			if _, err := w.client.Exchange(t.Context(), code, w.begun()); !errors.Is(err, esi.ErrDown) {
				t.Fatal(err)
			}
			for range 6 {
				if _, err := w.client.Ask(t.Context(), "code", w.begun()); !errors.Is(err, esi.ErrDown) {
					t.Fatal(err)
				}
			}
			if name == "shape" { // it answers
				return
			}
			begun := time.Now()
			if _, err := w.client.Begin(t.Context()); !errors.Is(err, esi.ErrDown) || time.Since(begun) > 200*time.Millisecond {
				t.Fatalf("after %s: %v", time.Since(begun), err)
			}
		})
	}
}

// TestDescribed: a provider that calls itself otherwise, and one whose client we are not.
func TestDescribed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *esi.Config) { c.Issuer += "/" })
	if _, err := w.client.Begin(t.Context()); !errors.Is(err, esi.ErrDown) {
		t.Errorf("another issuer: %v", err)
	}
	w = newWorld(t, func(c *esi.Config) { c.ClientSecret = "wrong" })
	if _, err := w.client.Begin(t.Context()); !errors.Is(err, esi.ErrDown) || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("another secret: %v", err)
	}
	w = newWorld(t, func(c *esi.Config) { c.ACR = []string{"high"} })
	if _, err := w.client.Exchange(t.Context(), w.code(), w.begun()); !errors.Is(err, esi.ErrRefused) {
		t.Errorf("less assurance than asked for: %v", err)
	}
	w = newWorld(t, func(c *esi.Config) { c.ACR = []string{"high", "sandbox"} })
	if _, err := w.client.Exchange(t.Context(), w.code(), w.begun()); err != nil {
		t.Errorf("assurance as asked for: %v", err)
	}
	if _, err := esi.New(esi.Config{Issuer: "nowhere", ClientID: "a", ClientSecret: "b", Now: w.clock}); err == nil {
		t.Error("an issuer that is no address was taken")
	}
}

// TestGivenUp: who hangs up is no failure of the provider.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	code := w.code()
	if err := w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{DelayMS: 2000}); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		time.AfterFunc(5*time.Millisecond, cancel)
		if _, err := w.client.Exchange(ctx, code, w.begun()); err == nil {
			t.Fatal("it answered")
		}
		cancel()
	}
	if err := w.sim.SetFault(sandbox.SystemESI, sandbox.Fault{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Exchange(t.Context(), code, w.begun()); err != nil {
		t.Fatal(err)
	}
}
