package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/golang-jwt/jwt/v5"
)

// keySet is what /.well-known/jwks.json answers.
type keySet struct {
	Keys []map[string]string `json:"keys"`
}

// keys gets the published keys and wants them to be public, whole and kept for a while.
func (d *door) keys() keySet {
	d.t.Helper()
	var set keySet
	if status := d.json(http.MethodGet, "/.well-known/jwks.json", "", nil, &set); status != http.StatusOK {
		d.t.Fatalf("the keys: %d", status)
	}
	for _, k := range set.Keys {
		if k["kty"] != "EC" || k["crv"] != "P-256" || k["use"] != "sig" || k["alg"] != "ES256" || len(k) != 7 {
			d.t.Errorf("a key is published as %v", k)
		}
	}
	return set
}

// verify is how another program verifies an access token: by the published keys, with a
// library of its own.
func (s keySet) verify(token string) error {
	_, err := jwt.Parse(token, func(t *jwt.Token) (any, error) {
		for _, k := range s.Keys {
			if k["kid"] != t.Header["kid"] {
				continue
			}
			x, errX := base64.RawURLEncoding.DecodeString(k["x"])
			y, errY := base64.RawURLEncoding.DecodeString(k["y"])
			if errX != nil || errY != nil {
				return nil, fmt.Errorf("%w %w", errX, errY)
			}
			return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		}
		return nil, fmt.Errorf("no key %v", t.Header["kid"])
	}, jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer("eshik"), jwt.WithAudience("eshik/citizen"), jwt.WithExpirationRequired())
	return err
}

// TestKeysOfTokens: anybody verifies a token by what is published; while an operator rotates
// the key, requests go on and none is refused; when the key was revealed, all tokens end at
// once, and the sign-in goes on by its refresh token.
func TestKeysOfTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		first := d.signInOn(elena)
		if err := d.keys().verify(first.Access); err != nil {
			t.Errorf("another program: %v", err)
		}
		var requests, refused atomic.Int64
		stop := make(chan struct{})
		var apps sync.WaitGroup
		for range 4 {
			apps.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					requests.Add(1)
					if d.json(http.MethodGet, "/v1/sign-ins", first.Access, nil, nil) != http.StatusOK {
						refused.Add(1)
					}
				}
			})
		}
		out, err := d.as("administrator", "", "keys", "rotate", "tokens")
		close(stop)
		apps.Wait()
		if err != nil || !strings.HasPrefix(out, "Made: ") || requests.Load() == 0 || refused.Load() != 0 {
			t.Errorf("of %d requests %d were refused while the key was rotated: %v\n%s", requests.Load(), refused.Load(), err, out)
		}
		if out, err := d.as("administrator", "", "keys", "rotate", "tokens"); err != nil || !strings.HasPrefix(out, "Waiting already: ") {
			t.Errorf("rotated twice: %v\n%s", err, out)
		}
		if out, err := d.run("keys", "list"); err != nil || !strings.Contains(out, " signs ") || !strings.Contains(out, " waits ") {
			t.Errorf("the list: %v\n%s", err, out)
		}
		if out := d.both("administrator", "", "keys", "rotate", "tokens", "--revealed"); !strings.HasPrefix(out, "Approved by inspector. Replaced: ") {
			t.Fatalf("replaced: %s", out)
		}
		if status := d.json(http.MethodGet, "/v1/sign-ins", first.Access, nil, nil); status != http.StatusUnauthorized {
			t.Errorf("a token of a revealed key: %d", status)
		}
		var next signedIn
		in := map[string]string{"refresh_token": first.Refresh}
		if status := d.json(http.MethodPost, "/v1/tokens/refresh", "", in, &next, "Idempotency-Key", "after a rotation"); status != http.StatusOK {
			t.Fatalf("the sign-in: %d", status)
		}
		if status := d.json(http.MethodGet, "/v1/sign-ins", next.Access, nil, nil); status != http.StatusOK {
			t.Errorf("the next token: %d", status)
		}
		d.fsck()
	})
}

// TestKeysOfCertificates: anybody finds the keys that sign certificates, in both forms, with when
// they sign; after a rotation, and after one because a key was revealed, earlier ones verify.
func TestKeysOfCertificates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		number, _ := d.residence()
		verifies := func(after string) {
			t.Helper()
			var v struct{ Status string }
			if status := d.json(http.MethodGet, "/v1/verifications/"+number, "", nil, &v); status != http.StatusOK || v.Status != "valid" {
				t.Errorf("after %s: %d %+v", after, status, v)
			}
		}
		first := d.certificateKeys(1)
		if out, err := d.as("administrator", "", "keys", "rotate", "certificates"); err != nil || !strings.HasPrefix(out, "Made: ") {
			t.Errorf("rotated: %v\n%s", err, out)
		}
		second := d.certificateKeys(2)
		if second[0].KID != first[0].KID || second[0].Until == 0 || second[0].Revoked != nil || second[1].Until != 0 {
			t.Errorf("after a rotation: %+v", second)
		}
		verifies("a rotation")
		if out := d.both("administrator", "", "keys", "rotate", "certificates", "--revealed"); !strings.HasPrefix(out, "Approved by inspector. Replaced: ") {
			t.Fatalf("replaced: %s", out)
		}
		third := d.certificateKeys(3)
		if third[0].Revoked == nil || third[1].Revoked == nil || third[2].Revoked != nil {
			t.Errorf("after a key was revealed: %+v", third)
		}
		verifies("a key was revealed")
		d.publishedTrust(number)
		if out, err := d.run("keys", "list"); err != nil || strings.Count(out, " revealed ") != 2 || !strings.Contains(out, third[2].KID) {
			t.Errorf("the list: %v\n%s", err, out)
		}
		d.fsck()
	})
}

// certificateKey is what is published of a key that signs certificates.
type certificateKey struct {
	KID     string `json:"kid"`
	From    int64  `json:"nbf"`
	Until   int64  `json:"exp"`
	Revoked *struct {
		At int64 `json:"revoked_at"`
	} `json:"revoked"`
}

// certificateKeys gets the published keys and wants n in each form, to be kept for a while.
func (d *door) certificateKeys(n int) []certificateKey {
	d.t.Helper()
	var set struct{ Keys []certificateKey }
	if status := d.json(http.MethodGet, "/.well-known/certificate-keys.json", "", nil, &set); status != http.StatusOK || len(set.Keys) != n {
		d.t.Fatalf("the keys: %d %+v", status, set)
	}
	response := d.get("/.well-known/certificate-keys.cbor")
	var keys []map[any]any
	err := cbor.Unmarshal(d.read(response), &keys)
	if err != nil || len(keys) != n || response.Header.Get("Content-Type") != "application/cose-key-set" || response.Header.Get("Cache-Control") != "public, max-age=300" {
		d.t.Fatalf("the COSE keys: %v %d %v", err, len(keys), response.Header)
	}
	return set.Keys
}

// residence issues a certificate of residence to Aigul's app and gives its number, and the app's token.
func (d *door) residence() (number, token string) {
	d.t.Helper()
	var made struct{ Number string }
	token = d.signIn(aigul)
	proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
	if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
		d.t.Fatalf("proofs: %d", status)
	}
	if status := d.json(http.MethodPost, "/v1/certificates", token, map[string]string{"kind": "RESIDENCE"}, &made, "Idempotency-Key", "residence-1"); status != http.StatusCreated {
		d.t.Fatalf("a certificate: %d", status)
	}
	return made.Number, token
}
