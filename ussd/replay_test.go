package ussd_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/ussd"
)

// captured is a signed request as somebody on the way saw it.
type captured struct {
	path, kind, body string
	headers          []string
}

const hmacKey = "the-key-of-a-gateway-0123"

func (d *httpDoor) sign(o *office, inputs []string) captured {
	path, kind, body := d.write("s1", phone, inputs)
	stamp := fmt.Sprint(o.now().Unix())
	mac := hmac.New(sha256.New, []byte(hmacKey))
	mac.Write([]byte(stamp + ".POST./ussd/" + d.name + path + "." + body))
	return captured{path, kind, body, []string{
		ussd.TimestampHeader, stamp, ussd.SignatureHeader, "v1=" + hex.EncodeToString(mac.Sum(nil)),
	}}
}

// expect sends a captured request to a door.
func (c captured) expect(t *testing.T, d *httpDoor, status int, text string) {
	t.Helper()
	got, answer := d.post(t, c.path, c.kind, c.body, c.headers...)
	if got != status || !strings.Contains(answer, text) {
		t.Errorf("answered %d %q, want %d %q", got, answer, status, text)
	}
}

// Whoever replays what a gateway signed changes nothing at any instance, also
// when one was restarted or the session is over. The gateway's own retry is
// answered, and the citizen goes on undisturbed.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			auth := ussd.Auth{HMACKeys: []string{hmacKey}}
			first := newHTTPDoor(t, o, g, auth)
			o.restart(t) // with the same store
			doors := []*httpDoor{first, newHTTPDoor(t, o, g, auth)}
			var seen []captured
			replay := func(shown string) {
				o.wait(2 * time.Second)
				for i, c := range seen {
					if g.blind {
						c.expect(t, doors[i%2], http.StatusForbidden, "the request was answered before")
					} else {
						c.expect(t, doors[i%2], http.StatusOK, shown)
					}
				}
			}
			for n, shown := range screens {
				o.wait(2 * time.Second)
				c := first.sign(o, inputs[:n])
				for _, d := range []*httpDoor{first, first, doors[1]} {
					c.expect(t, d, http.StatusOK, shown)
				}
				seen = append(seen, c)
				replay(shown)
			}
			o.wait(200 * time.Second) // the session expired, and no signature yet
			if err := o.Sweep(t.Context(), o.now()); err != nil {
				t.Fatal(err)
			}
			refused := len(o.counted())
			for _, c := range seen {
				c.expect(t, doors[1], http.StatusForbidden, "the request was answered before")
			}
			o.wait(5 * time.Minute)
			for _, c := range seen {
				c.expect(t, first, http.StatusForbidden, "forbidden")
			}
			if runs, entries := o.written(); runs != 1 || entries != 1 {
				t.Errorf("%d runs left %d entries", runs, entries)
			}
			o.checkCounted(t, g, refused, len(seen))
			o.checkLog(t)
		})
	}
}

// checkCounted holds the refusals to what was replayed: where requests have no
// number, all so far after each of n turns; then all n when the session is over,
// and when their signatures have lapsed.
func (o *office) checkCounted(t *testing.T, g wire, during, n int) {
	t.Helper()
	replays := 0
	if g.blind {
		replays = n * (n + 1) / 2
	}
	want := append(slices.Repeat([]string{"replayed"}, replays+n), slices.Repeat([]string{"signature"}, n)...)
	if during != replays || !slices.Equal(o.counted(), want) {
		t.Errorf("counted %v", o.counted())
	}
}
