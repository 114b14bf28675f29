// Package seal encrypts what must not be read in the database (personal
// numbers, phones, message text) and gives blind indexes, by which such values
// can be looked up without being stored.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// MasterKeySize is the length of the master key in bytes.
const MasterKeySize = 32

// version is the first byte of all that is sealed, so that another cipher or
// master key can come beside this one later.
const version = 1

// ErrOpen says that sealed bytes are not what Seal made under this master key
// and context: another key, another place, or tampering.
var ErrOpen = errors.New("the sealed value cannot be opened")

// Sealer seals, opens and indexes under one master key. It is safe for
// concurrent use.
type Sealer struct {
	cipher tink.AEAD
	macs   sync.Pool // of hash.Hash: a key that is set up once is half of a short index
}

// New makes a Sealer of a master key of MasterKeySize random bytes. The keys in
// use are derived from it by HKDF-SHA256 (RFC 5869), one per use.
func New(masterKey []byte) (*Sealer, error) {
	if len(masterKey) != MasterKeySize {
		return nil, fmt.Errorf("a master key has %d bytes, this one %d", MasterKeySize, len(masterKey))
	}
	key, err := derive(masterKey, "eshik seal v1")
	if err != nil {
		return nil, err
	}
	// The nonce of XChaCha20-Poly1305 is long enough to be random however many
	// values one key seals, which AES-GCM's is not.
	cipher, err := subtle.NewXChaCha20Poly1305(key)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	index, err := derive(masterKey, "eshik index v1")
	if err != nil {
		return nil, err
	}
	return &Sealer{cipher: cipher, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, index) }}}, nil
}

func derive(masterKey []byte, use string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, masterKey, nil, use, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of %q: %w", use, err)
	}
	return key, nil
}

// Seal encrypts plain. The context names the place it is kept in
// ("identity.pin"): sealed bytes moved to another place do not open there.
func (s *Sealer) Seal(plain []byte, context string) ([]byte, error) {
	sealed, err := s.cipher.Encrypt(plain, []byte(context))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", context, err)
	}
	return append([]byte{version}, sealed...), nil
}

// Open decrypts what Seal made with the same context; otherwise ErrOpen.
func (s *Sealer) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version {
		return nil, fmt.Errorf("%s: %w", context, ErrOpen)
	}
	plain, err := s.cipher.Decrypt(sealed[1:], []byte(context))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", context, ErrOpen)
	}
	return plain, nil
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
