package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Master is a key-encryption key: it wraps the keys that seal and index, and nothing else.
// A LocalMaster is one; platform/seal/hsm has one that never leaves a security module. What its
// methods give where such a module cannot be asked now is an Away.
type Master interface {
	// ID names the key in the database and says nothing else of it.
	ID() string
	// Wrap encrypts a key for its place.
	Wrap(key []byte, place string) ([]byte, error)
	// Unwrap decrypts what Wrap made for the same place.
	Unwrap(wrapped []byte, place string) ([]byte, error)
}

// Away is the error of a master key that is kept elsewhere and cannot be asked now: nothing is
// known of what it wraps, and it may be asked again.
type Away interface {
	error
	MasterAway()
}

// MasterKeySize is the length of a LocalMaster in bytes.
const MasterKeySize = 32

// LocalMaster is a master key whose bytes this process knows.
type LocalMaster struct {
	id  string
	key []byte
	tink.AEAD
}

// NewLocalMaster makes one of MasterKeySize random bytes.
func NewLocalMaster(key []byte) (*LocalMaster, error) {
	if len(key) != MasterKeySize {
		return nil, fmt.Errorf("a master key has %d bytes, this one %d", MasterKeySize, len(key))
	}
	name, err := derive(key, "eshik master id v1")
	if err != nil {
		return nil, err
	}
	wrap, err := derive(key, "eshik wrap v1")
	if err != nil {
		return nil, err
	}
	m := &LocalMaster{id: hex.EncodeToString(name[:4]), key: key}
	if m.AEAD, err = subtle.NewXChaCha20Poly1305(wrap); err != nil {
		return nil, fmt.Errorf("make the cipher of a master key: %w", err)
	}
	return m, nil
}

// ID implements Master: four bytes that are derived from the key, in hexadecimal.
func (m *LocalMaster) ID() string { return m.id }

// Wrap implements Master.
func (m *LocalMaster) Wrap(key []byte, place string) ([]byte, error) {
	return m.Encrypt(key, []byte(place))
}

// Unwrap implements Master.
func (m *LocalMaster) Unwrap(wrapped []byte, place string) ([]byte, error) {
	return m.Decrypt(wrapped, []byte(place))
}

// Uses of the keys that are derived from a master key by HKDF-SHA256 (RFC 5869): in all
// houses that began before keys were kept in SQL.
const (
	sealUse  = "eshik seal v1"
	indexUse = "eshik index v1"
)

// derived is the key of a number as houses of before have it: 0 indexes, 1 seals.
func (m *LocalMaster) derived(number int64) ([]byte, error) {
	if number == indexNumber {
		return derive(m.key, indexUse)
	}
	return derive(m.key, sealUse)
}

func derive(masterKey []byte, use string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, masterKey, nil, use, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of %q: %w", use, err)
	}
	return key, nil
}
