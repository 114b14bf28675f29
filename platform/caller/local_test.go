package caller_test

import (
	"net"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
)

func TestOriginLocal(t *testing.T) {
	t.Parallel()
	loopback, other := net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 7)
	for _, c := range []struct {
		origin caller.Origin
		want   bool
	}{
		{caller.Origin{Remote: loopback, Host: "127.0.0.1:8080"}, true},
		{caller.Origin{Remote: net.IPv6loopback, Host: "[::1]:8080"}, true},
		{caller.Origin{Remote: loopback, Host: "localhost"}, true},
		{caller.Origin{Remote: loopback, Host: "localhost:8080", FetchSite: "same-origin"}, true},
		{caller.Origin{Remote: loopback, Host: "localhost:8080", FetchSite: "cross-site"}, false},
		{caller.Origin{Remote: loopback, Host: "localhost:8080", FetchSite: "same-site"}, false},
		{caller.Origin{Remote: loopback, Host: "localhost:8080", ForwardedFor: "203.0.113.9"}, false},
		{caller.Origin{Remote: loopback, Host: "rebound.example:8080"}, false},
		{caller.Origin{Remote: loopback, Host: ""}, false},
		{caller.Origin{Remote: other, Host: "127.0.0.1:8080"}, false},
		{caller.Origin{Host: "127.0.0.1"}, false},
	} {
		if got := c.origin.Local(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.origin, got, c.want)
		}
	}
}
