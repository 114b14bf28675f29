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

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// book is what is stored for a phone: its talk on each channel, so that one can
// be continued on the other.
type book struct {
	USSD *talk
	SMS  *talk
	// Known is the phone's profile as it was read last; nil when it was not.
	Known *known
}

// known is a profile and when it was read, in Unix microseconds.
type known struct {
	Locale locales.Locale
	Tenure int64
	Read   int64
}

// knownFor is how long a profile is good enough for a talk with which nothing
// goes on. A language is chosen in talks, which note it, or elsewhere (see
// Relearn); and whose number it is, is asked anew before anything is continued.
const knownFor = 15 * time.Minute

// profile is what is known, unless that is too old.
func (k *known) profile(now time.Time) (p dialog.Profile, fresh bool) {
	if k == nil || now.Sub(time.UnixMicro(k.Read)) > knownFor {
		return p, false
	}
	return dialog.Profile{Locale: k.Locale, Tenure: k.Tenure}, true
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
	Length int
	Digest []byte
	// Text is the answer given; Over says that the talk is closed.
	Text  string
	Over  bool
	State []byte
	// The next three are for counting a talk that is abandoned.
	Channel  caller.Channel
	Gateway  string
	Operator string
	// Seen are the beginnings of the digests before Digest, newest last: a text
	// message may come late, after others.
	Seen []byte
	// Session is the beginning of the digest of the gateway's session; Former are
	// those of the sessions before it, newest last.
	Session []byte
	Former  []byte
	// Began is when the talk did, Turns how many it had, Answered when the last
	// was answered, Expires until when it waits for the next, Keep until when it
	// can be continued elsewhere. Moments are Unix microseconds.
	Began    int64
	Turns    int64
	Answered int64
	Expires  int64
	Keep     int64
	// Gone says that the gateway gave the session up.
	Gone bool
	// Subscriber is the beginning of the SIM's digest, where it is known, and
	// Tenure the number's holder: both must be the same for a talk to go on.
	Subscriber []byte
	Tenure     int64
	// Node is the step that Text shows.
	Node string
	// Proofs are the beginnings of the digests of the signatures that the phone's
	// requests came with, newest last; Proven is until when one of them would be
	// accepted, so that they must be known.
	Proofs []byte
	Proven int64
	// Unclear says that Text answers what was not understood.
	Unclear bool
}

// How many turns of a talk by SMS, signatures (more than the screens a person
// gets through before the oldest is refused for its age) and sessions before are
// remembered, and by how much of a digest.
const (
	seenTurns      = 16
	seenProofs     = 64
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

// needed is until when the talk, or what it remembers, is.
func (t *talk) needed() int64 { return max(t.Keep, t.Proven) }

// answer is what was said last.
func (t *talk) answer() Answer {
	return Answer{Text: t.Text, End: t.Over, Node: t.Node, Unclear: t.Unclear}
}

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

// key is the name a phone's talks are stored under.
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

var errForeign = errors.New("the stored talk was not sealed with this secret")

func (v *vault) open(key string, sealed []byte) ([]byte, error) {
	plain, err := v.aead.Open(nil, nil, sealed, []byte(key))
	if err != nil {
		return nil, errForeign
	}
	return plain, nil
}

// hexName writes the first half of a digest in hexadecimal.
func hexName(d digest) string {
	var name [32]byte
	hex.Encode(name[:], d[:16])
	return string(name[:])
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
