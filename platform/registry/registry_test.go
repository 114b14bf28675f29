package registry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sandbox"
)

const (
	pinAigul = "11503198800011"
	pinBakyt = "22107197900022"
)

var call = registry.Call{UserID: "KG" + pinAigul, Issue: "FINE-1"}

// box is the sandbox's security server on a free port, with what it was asked.
type box struct {
	world *sandbox.World
	url   string

	mu   sync.Mutex
	seen []http.Header
}

func newBox(t *testing.T) *box {
	t.Helper()
	world, err := sandbox.NewWorld("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{world: world}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.seen = append(b.seen, r.Header.Clone())
		b.mu.Unlock()
		world.SecurityServer().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// asked counts the requests that reached the server.
func (b *box) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.seen)
}

func config(url string) registry.Config {
	return registry.Config{
		BaseURL: url, Client: "central-server/GOV/70000099/eshik",
		Timeout: 2 * time.Second, OpenFor: 50 * time.Millisecond,
	}
}

func newREST(t *testing.T, cfg registry.Config) *registry.REST {
	t.Helper()
	rest, err := registry.NewREST(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

func newSafeCity(t *testing.T, cfg registry.Config) *registry.SafeCity {
	t.Helper()
	soap, err := registry.NewSOAP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	city, err := registry.NewSafeCity(soap, registry.SafeCityConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return city
}

// mustFail checks that err is the problem, came from the side, and holds no PIN.
func mustFail(t *testing.T, err error, key string, side registry.Side) *registry.Error {
	t.Helper()
	var e *registry.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a registry error", err)
	}
	if got := problem.From(err).Key; got != key || e.Side != side {
		t.Fatalf("problem %s from side %s, want %s from %s: %v", got, e.Side, key, side, err)
	}
	if strings.Contains(err.Error(), pinAigul) || strings.Contains(err.Error(), pinBakyt) {
		t.Fatalf("a personal number in the error: %v", err)
	}
	return e
}

func TestConfigRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	for _, cfg := range []registry.Config{
		{BaseURL: "", Client: "a/b/c/d"},
		{BaseURL: "ftp://host", Client: "a/b/c/d"},
		{BaseURL: "http://host", Client: "a/b/c"},
		{BaseURL: "http://host", Client: "a/b/c/under_score"},
		{BaseURL: "http://host", Client: "a/b/c/.."},
	} {
		if _, err := registry.NewREST(cfg); err == nil {
			t.Errorf("NewREST took %+v", cfg)
		}
		if _, err := registry.NewSOAP(cfg); err == nil {
			t.Errorf("NewSOAP took %+v", cfg)
		}
	}
}

func TestEveryCallSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	aimak, err := registry.NewAimak(newREST(t, config(b.url)), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []registry.Call{{}, {UserID: "KG1"}, {Issue: "1"}, {UserID: "KG1\r\nX: y", Issue: "1"}} {
		if _, _, err := aimak.AddressFact(t.Context(), bad, pinAigul); err == nil {
			t.Errorf("%+v was sent", bad)
		}
	}
	if b.asked() != 0 {
		t.Fatal("an untraceable call reached the server")
	}
	if _, _, err := aimak.AddressFact(t.Context(), call, pinAigul); err != nil {
		t.Fatal(err)
	}
	h := b.seen[0]
	if h.Get("X-Road-UserId") != call.UserID || h.Get("X-Road-Issue") != call.Issue ||
		h.Get("X-Road-Client") != "central-server/GOV/70000099/eshik" || len(h.Get("X-Road-Id")) != 36 {
		t.Fatalf("headers %v", h)
	}
}

func TestAnswersOutsideTheProtocol(t *testing.T) {
	t.Parallel()
	echo := func(h http.Header, r *http.Request) { h.Set("X-Road-Id", r.Header.Get("X-Road-Id")) }
	elsewhere := newBox(t)
	cases := []struct {
		name, key string
		side      registry.Side
		answer    http.HandlerFunc
	}{
		{"another X-Road-Id", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Road-Id", "other")
			w.WriteHeader(http.StatusNoContent)
		}},
		{"redirect", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, r *http.Request) {
			echo(w.Header(), r)
			http.Redirect(w, r, elsewhere.url+r.URL.Path, http.StatusFound)
		}},
		{"HTML", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, r *http.Request) {
			echo(w.Header(), r)
			_, _ = w.Write([]byte("<html>"))
		}},
		{"more after the JSON", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, r *http.Request) {
			echo(w.Header(), r)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{} {}"))
		}},
		{"endless body", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, r *http.Request) {
			echo(w.Header(), r)
			w.Header().Set("Content-Type", "application/json")
			for range 5 << 10 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<10))); err != nil {
					return
				}
			}
		}},
		{"our rights, new spelling", "problem.registry_ours", registry.SideOurs, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Road-Error", "server.clientproxy.ssl_authentication_failed")
			w.WriteHeader(http.StatusInternalServerError)
		}},
		{"their side, a PIN in the type", "problem.registry_down", registry.SideTheirs, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Road-Error", "Server.ServerProxy.NetworkError."+pinAigul)
			w.WriteHeader(http.StatusInternalServerError)
		}},
		{"plain 502", "problem.registry_down", registry.SideTheirs, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		}},
		{"the registry's own 400", "problem.registry_answer", registry.SideRegistry, func(w http.ResponseWriter, r *http.Request) {
			echo(w.Header(), r)
			w.WriteHeader(http.StatusBadRequest)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.answer)
			defer server.Close()
			aimak, err := registry.NewAimak(newREST(t, config(server.URL)), "")
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = aimak.AddressFact(t.Context(), call, pinAigul)
			mustFail(t, err, c.key, c.side)
		})
	}
	t.Cleanup(func() {
		if elsewhere.asked() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	aimak, err := registry.NewAimak(newREST(t, config(server.URL)), "")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = aimak.AddressFact(t.Context(), call, pinAigul)
	if e := mustFail(t, err, "problem.registry_down", registry.SideNetwork); e.MayHaveActed {
		t.Error("a call that could not connect had no effect")
	}
}

func TestBreakerIsPerService(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	rest := newREST(t, config(b.url))
	aimak, err := registry.NewAimak(rest, "")
	if err != nil {
		t.Fatal(err)
	}
	kindergartens, err := registry.NewKindergartens(rest, "")
	if err != nil {
		t.Fatal(err)
	}
	set(t, b, sandbox.SystemAimak, sandbox.Fault{Outage: true})
	for range 5 {
		_, _, err := aimak.AddressFact(t.Context(), call, pinAigul)
		mustFail(t, err, "problem.registry_down", registry.SideTheirs)
	}
	_, _, err = aimak.AddressFact(t.Context(), call, pinAigul)
	if e := mustFail(t, err, "problem.registry_down", registry.SideBreaker); e.MayHaveActed || b.asked() != 5 {
		t.Fatalf("the sixth call left the house: %v, %d asked", e, b.asked())
	}
	if _, err := kindergartens.List(t.Context(), call, "41711201000000"); err != nil {
		t.Fatalf("another service suffers: %v", err)
	}
	set(t, b, sandbox.SystemAimak, sandbox.Fault{})
	testworld.Eventually(t, "the registry is asked again", func() bool {
		_, found, err := aimak.AddressFact(t.Context(), call, pinAigul)
		return err == nil && found
	})
}

func TestHangingUpDoesNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	aimak, err := registry.NewAimak(newREST(t, config(b.url)), "")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, _, err := aimak.AddressFact(gone, call, pinAigul); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
	}
	if _, _, err := aimak.AddressFact(t.Context(), call, pinAigul); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, b *box, system string, f sandbox.Fault) {
	t.Helper()
	if err := b.world.SetFault(system, f); err != nil {
		t.Fatal(err)
	}
}
