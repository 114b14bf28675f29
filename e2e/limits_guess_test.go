package e2e

import (
	"crypto/rand"
	"math/big"
	"net/http"
	"testing"
	"time"
)

// guess draws a certificate number that is well formed (weights 11 to 1, modulo 31) and
// that nobody has.
func guess(t *testing.T) string {
	t.Helper()
	const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	number, sum := "", 0
	for i := range 10 {
		n, err := rand.Int(rand.Reader, big.NewInt(31))
		if err != nil {
			t.Fatal(err)
		}
		number += string(letters[n.Int64()])
		sum += (11 - i) * int(n.Int64())
	}
	return number + string(letters[(31-sum%31)%31])
}

// get asks for a path without a token and gives the whole answer.
func (d *door) get(path string) *http.Response {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Accept-Language", "en")
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return response
}

// readMissed is how many codes readByCode tries that are not ours: they count with the
// numbers.
const readMissed = 2

// TestS5GuessesOverREST: an address that guessed 300 numbers is refused each time it
// asks for another, the second time too (F5); an honest check from it is answered (F12).
func TestS5GuessesOverREST(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.t = t
		number, _ := issueOverREST(d)
		for i := range 300 - readMissed {
			response := d.get("/v1/verifications/" + guess(t))
			if body := d.read(response); response.StatusCode != http.StatusNotFound {
				t.Fatalf("guess %d: %d %s", i, response.StatusCode, body)
			}
		}
		for range 5 {
			path := "/v1/verifications/" + guess(t)
			for range 3 {
				d.named(d.held(d.get(path), time.Hour))
			}
		}
		if response := d.get("/v1/verifications/" + number); response.StatusCode != http.StatusOK {
			t.Errorf("an honest check: %d %s", response.StatusCode, d.read(response))
		} else {
			d.read(response)
		}
	})
}
