// Package jws reads signed tokens: a JSON Web Signature in its compact form (RFC 7515) by
// ES256 and nothing else. The mathematics is golang-jwt's. What a lenient reader takes is
// refused here before it: a second spelling of the same bytes, a member that is there twice,
// a key that is not meant for signatures.
package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// Algorithm is the only one by which tokens are signed (RFC 7518, section 3.4).
const Algorithm = "ES256"

// What our keys say of themselves (RFC 7517, section 4; RFC 7518, section 6.2).
const (
	keyType   = "EC"
	curve     = "P-256"
	useSign   = "sig"
	opVerify  = "verify"
	fieldSize = 32 // bytes of a coordinate
)

// Key is a public key as a JSON Web Key (RFC 7517), with the members that we write and look
// at: whatever else a key has is left out, a private half above all.
type Key struct {
	Type       string   `json:"kty"`
	Curve      string   `json:"crv,omitempty"`
	ID         string   `json:"kid"`
	Algorithm  string   `json:"alg,omitempty"`
	Use        string   `json:"use,omitempty"`
	Operations []string `json:"key_ops,omitempty"`
	X          string   `json:"x,omitempty"` // base64url of 32 bytes, as Y
	Y          string   `json:"y,omitempty"`
}

// KeyOf describes a key on P-256 that signs tokens. Its id is its thumbprint (RFC 7638), so
// that no two keys ever have one id.
func KeyOf(public *ecdsa.PublicKey) (Key, error) {
	point, err := public.Bytes() // 4, x, y
	if err != nil {
		return Key{}, fmt.Errorf("write a public key: %w", err)
	}
	if public.Curve != elliptic.P256() {
		return Key{}, errors.New("only keys on P-256 sign ES256")
	}
	k := Key{Type: keyType, Curve: curve, Algorithm: Algorithm, Use: useSign, X: encode(point[1 : 1+fieldSize]), Y: encode(point[1+fieldSize:])}
	k.ID = k.Thumbprint()
	return k, nil
}

// Thumbprint is the SHA-256 of the key's required members in their fixed order (RFC 7638,
// section 3), in base64url.
func (k Key) Thumbprint() string {
	sum := sha256.Sum256([]byte(`{"crv":"` + k.Curve + `","kty":"` + k.Type + `","x":"` + k.X + `","y":"` + k.Y + `"}`))
	return encode(sum[:])
}

// PublicKey is a key that verifies tokens.
type PublicKey struct{ ecdsa *ecdsa.PublicKey }

// Verifier gives what verifies the tokens of a key. A key of another kind, for another
// algorithm or not meant to verify signatures is an error: one says by use or key_ops, and
// must by at least one of them.
func (k Key) Verifier() (*PublicKey, error) {
	switch {
	case k.Type != keyType || k.Curve != curve:
		return nil, fmt.Errorf("the key %s is no elliptic curve key on P-256", k.ID)
	case k.Algorithm != "" && k.Algorithm != Algorithm:
		return nil, fmt.Errorf("the key %s is for %s", k.ID, k.Algorithm)
	case k.Use == "" && k.Operations == nil,
		k.Use != "" && k.Use != useSign,
		k.Operations != nil && !slices.Contains(k.Operations, opVerify):
		return nil, fmt.Errorf("the key %s is not for verifying signatures", k.ID)
	}
	x, errX := decode(k.X)
	y, errY := decode(k.Y)
	if errX != nil || errY != nil || len(x) != fieldSize || len(y) != fieldSize {
		return nil, fmt.Errorf("the key %s has no coordinates of %d bytes", k.ID, fieldSize)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("the key %s is no point of the curve: %w", k.ID, err)
	}
	return &PublicKey{ecdsa: public}, nil
}

// ECDSA is the key itself.
func (k *PublicKey) ECDSA() *ecdsa.PublicKey { return k.ecdsa }

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// errSpelling says that text is not the one way to write its bytes.
var errSpelling = errors.New("not base64url as it is written")

// decode reads base64url without padding. Go's decoder passes over line ends, even a strict
// one: only the spelling that we would write ourselves is taken.
func decode(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || encode(raw) != text {
		return nil, errSpelling
	}
	return raw, nil
}
