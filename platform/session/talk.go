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
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/caller"
)

// book is what is stored for a phone: its talk on each channel, so that one can
// be continued on the other.
type book struct {
	USSD *talk `cbor:"1,keyasint,omitempty"`
	SMS  *talk `cbor:"2,keyasint,omitempty"`
}

// slots are the talk on channel and the one on the other.
func (b *book) slots(channel caller.Channel) (own, other **talk) {
	if channel == caller.SMS {
		return &b.SMS, &b.USSD
	}
	return &b.USSD, &b.SMS
}

// talk is what is stored of a conversation. Neither the phone nor any input is
// in it: inputs stand as one keyed digest, so that a six-digit code cannot be
// found by trying all of them.
type talk struct {
	// Length and Digest are of the text that was answered last (or of its id).
	Length int    `cbor:"1,keyasint,omitempty"`
	Digest []byte `cbor:"2,keyasint"`
	// Text is the answer given; Over says that the talk is closed.
	Text  string `cbor:"3,keyasint"`
	Over  bool   `cbor:"4,keyasint,omitempty"`
	State []byte `cbor:"5,keyasint"`
	// The next three are for counting a talk that is abandoned.
	Channel  caller.Channel `cbor:"6,keyasint"`
	Gateway  string         `cbor:"7,keyasint,omitempty"`
	Operator string         `cbor:"8,keyasint,omitempty"`
	// Seen are the beginnings of the digests before Digest, newest last: a text
	// message may come late, after others.
	Seen []byte `cbor:"9,keyasint,omitempty"`
	// Session is the beginning of the digest of the gateway's session; Former are
	// those of the sessions before it, newest last.
	Session []byte `cbor:"10,keyasint,omitempty"`
	Former  []byte `cbor:"11,keyasint,omitempty"`
	// Began is when the talk did, Turns how many it had, Answered when the last
	// was answered, Expires until when it waits for the next, Keep until when it
	// can be continued elsewhere. Moments are Unix microseconds.
	Began    int64 `cbor:"12,keyasint,omitempty"`
	Turns    int64 `cbor:"13,keyasint,omitempty"`
	Answered int64 `cbor:"14,keyasint,omitempty"`
	Expires  int64 `cbor:"15,keyasint,omitempty"`
	Keep     int64 `cbor:"16,keyasint,omitempty"`
	// Gone says that the gateway gave the session up.
	Gone bool `cbor:"17,keyasint,omitempty"`
	// Subscriber is the beginning of the SIM's digest, where it is known, and
	// Tenure the number's holder: both must be the same for a talk to go on.
	Subscriber []byte `cbor:"18,keyasint,omitempty"`
	Tenure     int64  `cbor:"19,keyasint,omitempty"`
	// Node is the step that Text shows.
	Node string `cbor:"20,keyasint,omitempty"`
}

// How many turns of a talk by SMS, and how many sessions before, are
// remembered, and by how much of a digest.
const (
	seenTurns      = 16
	formerSessions = 4
	seenLength     = 8
)

// saw reports that a turn before the last had this digest.
func (t *talk) saw(digest []byte) bool { return among(t.Seen, digest) }

// among reports that the beginning of digest is one of those in list.
func among(list, digest []byte) bool {
	for ; len(list) >= seenLength; list = list[seenLength:] {
		if equal(list[:seenLength], digest[:seenLength]) {
			return true
		}
	}
	return false
}

// remember is list with one digest more, of the last n.
func remember(list, digest []byte, n int) []byte {
	list = append(list[:len(list):len(list)], digest[:seenLength]...)
	return list[max(0, len(list)-n*seenLength):]
}

func (t *talk) expired(now time.Time) bool { return t.Expires < now.UnixMicro() }

// answer is what was said last.
func (t *talk) answer() Answer { return Answer{Text: t.Text, End: t.Over, Node: t.Node} }

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

// key is the name a phone's talks are stored under.
func (v *vault) key(phone string) string {
	return base64.RawURLEncoding.EncodeToString(v.sum("phone", phone))
}

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

// seal writes v for the record at key, and for no other.
func (v *vault) seal(key string, content any) ([]byte, error) {
	plain, err := cbor.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("write a talk: %w", err)
	}
	return v.aead.Seal(nil, nil, plain, []byte(key)), nil // #nosec G407 -- the AEAD draws its own nonce
}

var errForeign = errors.New("the stored talk was not sealed with this secret")

func (v *vault) open(key string, sealed []byte, content any) error {
	plain, err := v.aead.Open(nil, nil, sealed, []byte(key))
	if err != nil {
		return errForeign
	}
	if err := cbor.Unmarshal(plain, content); err != nil {
		return fmt.Errorf("read a talk: %w", err)
	}
	return nil
}

// turnID is the turn's name for the services' idempotency keys.
func turnID(digest []byte) string { return hex.EncodeToString(digest[:16]) }

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
