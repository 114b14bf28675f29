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
)

// minSecret is the shortest secret accepted, in bytes.
const minSecret = 32

// vault makes the digests and seals what is stored: an answer's text may name a
// person's fine or street, and the store may be readable to others.
type vault struct {
	aead    cipher.AEAD
	hashers sync.Pool // of *hasher, keyed
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
	return &vault{aead: aead, hashers: sync.Pool{New: func() any { return &hasher{mac: hmac.New(sha256.New, digestKey)} }}}, nil
}

// key is the name a phone's conversations are stored under.
func (v *vault) key(phone string) string {
	sum := v.sum("phone", phone)
	var name [(sha256.Size*4 + 2) / 3]byte
	base64.RawURLEncoding.Encode(name[:], sum[:])
	return string(name[:])
}

// digest is a keyed hash.
type digest [sha256.Size]byte

// hasher is a keyed hash and its memory: a hash.Hash makes all it is given
// escape.
type hasher struct {
	mac hash.Hash
	in  []byte
	out []byte
}

// sum digests the parts; each ends with a byte that UTF-8 never holds.
func (v *vault) sum(parts ...string) (d digest) {
	h := v.hashers.Get().(*hasher) //nolint:forcetypeassert // the pool holds nothing else
	h.mac.Reset()
	h.in = h.in[:0]
	for _, part := range parts {
		h.in = append(append(h.in, part...), 0xff)
	}
	h.mac.Write(h.in)
	h.out = h.mac.Sum(h.out[:0])
	copy(d[:], h.out)
	clear(h.in) // it may hold what was typed
	v.hashers.Put(h)
	return d
}

// seal encrypts plain for the record at key, and for no other.
func (v *vault) seal(key string, plain []byte) []byte {
	return v.aead.Seal(nil, nil, plain, []byte(key)) // #nosec G407 -- the AEAD draws its own nonce
}

func (v *vault) open(key string, sealed []byte) ([]byte, error) {
	plain, err := v.aead.Open(nil, nil, sealed, []byte(key))
	if err != nil {
		return nil, errForeign
	}
	return plain, nil
}

var errForeign = errors.New("the stored conversation was not sealed with this secret")

// hexName writes the first half of a digest in hexadecimal.
func hexName(d digest) string {
	var name [32]byte
	hex.Encode(name[:], d[:16])
	return string(name[:])
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
