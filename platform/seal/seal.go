// Package seal encrypts what must not be read in the database (personal
// numbers, phones, message text) and gives blind indexes, by which such values
// can be looked up without being stored. Its keys are kept in SQL, each wrapped by a
// master key that is never there, and those that seal are replaced while values of both
// are read.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// The first byte of all that is sealed says how it goes on.
const (
	plainForm   = 1 // what data key 1 sealed: its nonce and ciphertext
	keyForm     = 2 // the number of the data key in four bytes before them
	renewedForm = 3 // see Reseal
)

// numberEnds is where the number of the data key ends, in forms that have one.
const numberEnds = 5

var (
	// ErrOpen says that sealed bytes are not what Seal made in this database and context:
	// another key, another place, or tampering.
	ErrOpen = errors.New("the sealed value cannot be opened")
	// ErrKeyGone says that the data key which sealed a value is not in the database, or was
	// destroyed. It is an ErrOpen too.
	ErrKeyGone = fmt.Errorf("its data key is gone: %w", ErrOpen)
)

// Sealer seals, opens and indexes. It is safe for concurrent use.
type Sealer struct {
	ring atomic.Pointer[ring]
	read func(missed bool) (*ring, error) // reads the data keys anew
	now  func() time.Time
	macs sync.Pool // of hash.Hash: a key that is set up once is half of a short index
}

// New makes a Sealer of a master key alone, without a database, as it was in all houses that
// began before keys were kept in SQL: the keys are derived from it.
func New(masterKey []byte) (*Sealer, error) {
	master, err := NewLocalMaster(masterKey)
	if err != nil {
		return nil, err
	}
	index, err := master.derived(indexNumber)
	if err != nil {
		return nil, err
	}
	key, err := master.derived(firstNumber)
	if err != nil {
		return nil, err
	}
	only, err := newDataKey(firstNumber, key)
	if err != nil {
		return nil, err
	}
	r := &ring{seals: only, keys: map[uint32]*dataKey{firstNumber: only}}
	return newSealer(index, r, time.Now, func(bool) (*ring, error) { return r, nil }), nil
}

func newSealer(index []byte, r *ring, now func() time.Time, read func(bool) (*ring, error)) *Sealer {
	s := &Sealer{read: read, now: now, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, index) }}}
	s.ring.Store(r)
	return s
}

// dataKey is a key that seals.
type dataKey struct {
	number uint32
	head   []byte // what stands before the ciphertext of what it seals
	cipher tink.AEAD
}

func newDataKey(number uint32, key []byte) (*dataKey, error) {
	// The nonce of XChaCha20-Poly1305 is long enough to be random however many
	// values one key seals, which AES-GCM's is not.
	cipher, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of data key %d: %w", number, err)
	}
	return &dataKey{number: number, head: headOf(number), cipher: cipher}, nil
}

// headOf is what values begin with that a key sealed; those that it renewed have another
// first byte. What the first key seals is read by versions of before.
func headOf(number uint32) []byte {
	if number == firstNumber {
		return []byte{plainForm}
	}
	return binary.BigEndian.AppendUint32([]byte{keyForm}, number)
}

// ring is the data keys as they were read last.
type ring struct {
	seals  *dataKey
	keys   map[uint32]*dataKey
	readAt time.Time // the zero time: they are for good
}

// Seal encrypts plain. The context names the place it is kept in
// ("identity.pin"): sealed bytes moved to another place do not open there.
func (s *Sealer) Seal(plain []byte, context string) ([]byte, error) {
	key, err := s.sealing()
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", context, err)
	}
	sealed, err := key.cipher.Encrypt(plain, []byte(context))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", context, err)
	}
	out := make([]byte, 0, len(key.head)+len(sealed))
	return append(append(out, key.head...), sealed...), nil
}

// sealing is the key that seals now. Keys that were read long ago are read anew: one that
// was replaced meanwhile may be about to be destroyed.
func (s *Sealer) sealing() (*dataKey, error) {
	r := s.ring.Load()
	if !r.readAt.IsZero() && s.now().Sub(r.readAt) > ringLasts {
		var err error
		if r, err = s.read(false); err != nil {
			return nil, err
		}
	}
	return r.seals, nil
}

// Open decrypts what Seal or Reseal made with the same context; otherwise ErrOpen.
func (s *Sealer) Open(sealed []byte, context string) ([]byte, error) {
	key, err := s.keyOf(sealed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", context, err)
	}
	place, text, err := body(sealed, context)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", context, err)
	}
	plain, err := key.cipher.Decrypt(text, place)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", context, ErrOpen)
	}
	return plain, nil
}

// keyOf is the key that sealed a value.
func (s *Sealer) keyOf(sealed []byte) (*dataKey, error) {
	number, ok := Number(sealed)
	if !ok {
		return nil, ErrOpen
	}
	if key := s.ring.Load().keys[number]; key != nil {
		return key, nil
	}
	r, err := s.read(true) // another process may have made it just now
	if err != nil {
		return nil, err
	}
	if key := r.keys[number]; key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("data key %d: %w", number, ErrKeyGone)
}

// Number is that of the data key which a sealed value names; false where it is none.
func Number(sealed []byte) (uint32, bool) {
	switch {
	case len(sealed) > 0 && sealed[0] == plainForm:
		return firstNumber, true
	case len(sealed) > numberEnds && (sealed[0] == keyForm || sealed[0] == renewedForm):
		return binary.BigEndian.Uint32(sealed[1:numberEnds]), true
	}
	return 0, false
}

// body is the ciphertext of a value that has a Number, and what it is bound to.
func body(sealed []byte, context string) (place, text []byte, err error) {
	switch sealed[0] {
	case plainForm:
		return []byte(context), sealed[1:], nil
	case keyForm:
		return []byte(context), sealed[numberEnds:], nil
	}
	origin, text, err := renewed(sealed)
	return renewedPlace(context, origin), text, err
}

// Index is the blind index of value for a purpose: HMAC-SHA256 in hexadecimal.
// Equal values have equal indexes within a purpose and unrelated ones between
// purposes; without the master key it cannot be turned back by trying values.
func (s *Sealer) Index(purpose, value string) string {
	mac := s.macs.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer s.macs.Put(mac)
	mac.Reset()
	// The length keeps ("ab", "c") and ("a", "bc") apart.
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(purpose)))) // #nosec G115 -- purposes are short constants
	mac.Write([]byte(purpose))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}
