package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/caller"
)

// talk is what is stored of a conversation. Neither the phone nor any input is
// in it: inputs stand as one keyed digest, so that a six-digit code cannot be
// found by trying all of them.
type talk struct {
	// Length and Digest are of the text that was answered last (or of its id).
	Length int    `cbor:"1,keyasint,omitempty"`
	Digest []byte `cbor:"2,keyasint"`
	// Text is the answer given; Over says that it closed the talk.
	Text  string `cbor:"3,keyasint"`
	Over  bool   `cbor:"4,keyasint,omitempty"`
	State []byte `cbor:"5,keyasint"`
	// The rest is for counting a talk that is abandoned.
	Channel  caller.Channel `cbor:"6,keyasint"`
	Gateway  string         `cbor:"7,keyasint,omitempty"`
	Operator string         `cbor:"8,keyasint,omitempty"`
	// Seen are the beginnings of the digests before Digest, newest last: a text
	// message may come late, after others.
	Seen []byte `cbor:"9,keyasint,omitempty"`
}

// How many turns of a talk by SMS are remembered, and by how much of a digest.
const (
	seenTurns  = 16
	seenLength = 8
)

// saw reports that a turn before the last had this digest.
func (t *talk) saw(digest []byte) bool {
	for seen := t.Seen; len(seen) >= seenLength; seen = seen[seenLength:] {
		if equal(seen[:seenLength], digest[:seenLength]) {
			return true
		}
	}
	return false
}

// remember is what Seen becomes when another turn follows.
func (t *talk) remember() []byte {
	seen := append(t.Seen[:len(t.Seen):len(t.Seen)], t.Digest[:seenLength]...)
	return seen[max(0, len(seen)-seenTurns*seenLength):]
}

// minSecret is the shortest secret accepted, in bytes.
const minSecret = 32

// vault makes the digests and seals what is stored: an answer's text may name a
// person's fine or street, and the store may be readable to others.
type vault struct {
	aead cipher.AEAD
	macs sync.Pool // of hash.Hash, keyed
}

func newVault(secret []byte) (*vault, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("the sessions' secret needs %d bytes", minSecret)
	}
	sealKey, err := hkdf.Key(sha256.New, secret, nil, "eshik session seal", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the sessions' key: %w", err)
	}
	digestKey, err := hkdf.Key(sha256.New, secret, nil, "eshik session digest", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the sessions' key: %w", err)
	}
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		return nil, fmt.Errorf("prepare the sessions' cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("prepare the sessions' cipher: %w", err)
	}
	return &vault{aead: aead, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, digestKey) }}}, nil
}

// key is the name a session is stored under.
func (v *vault) key(session, phone string) string {
	return base64.RawURLEncoding.EncodeToString(v.sum("session", session, phone))
}

// digest stands for one turn of the session at key.
func (v *vault) digest(key, mark string) []byte { return v.sum("turn", key, mark) }

// sum digests the parts; each ends with a byte that UTF-8 never holds.
func (v *vault) sum(parts ...string) []byte {
	mac := v.macs.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer v.macs.Put(mac)
	mac.Reset()
	buffer := make([]byte, 0, 256)
	for _, part := range parts {
		buffer = append(append(buffer, part...), 0xff)
	}
	mac.Write(buffer)
	return mac.Sum(nil)
}

// seal writes a talk for the record at key, and for no other.
func (v *vault) seal(key string, t *talk) ([]byte, error) {
	plain, err := cbor.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write a talk: %w", err)
	}
	return v.aead.Seal(nil, nil, plain, []byte(key)), nil // #nosec G407 -- the AEAD draws its own nonce
}

var errForeign = errors.New("the stored talk was not sealed with this secret")

func (v *vault) open(key string, sealed []byte) (*talk, error) {
	plain, err := v.aead.Open(nil, nil, sealed, []byte(key))
	if err != nil {
		return nil, errForeign
	}
	t := new(talk)
	if err := cbor.Unmarshal(plain, t); err != nil {
		return nil, fmt.Errorf("read a talk: %w", err)
	}
	return t, nil
}

// turnID is the turn's name for the services' idempotency keys.
func turnID(digest []byte) string { return hex.EncodeToString(digest[:16]) }

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
