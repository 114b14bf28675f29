package registry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/registry"
)

var errNotNow = errors.New("not now")

// M2: Leaving is called when something leaves, and never where nothing can have;
// what it refuses reaches no registry whole.
func TestM2LeavingIsCalledWhenSomethingLeaves(t *testing.T) {
	t.Parallel()
	var whole atomic.Int32 // requests whose body came in full
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			whole.Add(1)
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + nobody.Addr().String()
	_ = nobody.Close() // a port at which nobody listens
	pay := func(city *registry.SafeCity, refuse error) (left int, err error) {
		leaving := call
		leaving.Leaving = func(context.Context) error { left++; return refuse }
		_, err = city.Pay(t.Context(), leaving, "1", 100, time.Unix(1, 0))
		return left, err
	}
	answers := newSafeCity(t, config(server.URL))
	if left, err := pay(answers, nil); left != 1 || err == nil || registry.Untouched(err) {
		t.Errorf("sent, and answered badly: left %d, %v", left, err)
	}
	before := whole.Load()
	if left, err := pay(answers, errNotNow); left != 1 || !errors.Is(err, errNotNow) || whole.Load() != before {
		t.Errorf("refused before it left: left %d, %v; %d came whole", left, err, whole.Load()-before)
	}
	if left, err := pay(newSafeCity(t, config(address)), nil); left != 0 || !registry.Untouched(err) {
		t.Errorf("nobody at the address: left %d, %v", left, err)
	}
	open := newSafeCity(t, config(address))
	for range 6 { // the breaker opens after five
		if _, err := pay(open, nil); err == nil {
			t.Error("nobody is at the address, and all is well")
		}
	}
	if left, err := pay(open, nil); left != 0 || !registry.Untouched(err) {
		t.Errorf("the breaker is open: left %d, %v", left, err)
	}
	if _, err := answers.Pay(t.Context(), call, "1", 100, time.Unix(1, 0)); err == nil {
		t.Error("a call without Leaving was answered well by a server that answers badly")
	}
}
