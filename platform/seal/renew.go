package seal

import (
	"encoding/binary"
	"fmt"
)

// A renewed value reads: its form, the number of the data key, the length of its origin in
// four bytes, the origin, the ciphertext. The origin is the value as it was sealed first,
// encrypted by the same data key: the audit log has digests of it. The ciphertext is bound
// to the origin, so that no value takes another's.

// originPlace is what an origin is bound to.
const originPlace = "eshik origin"

// originFrom is where the origin begins.
const originFrom = numberEnds + 4

// Reseal seals a value anew by the key that seals now, and keeps in it what First gives.
// changed is false where that key has sealed it already.
func (s *Sealer) Reseal(sealed []byte, context string) (renewed []byte, changed bool, err error) {
	key, err := s.sealing()
	if err != nil {
		return nil, false, fmt.Errorf("reseal %s: %w", context, err)
	}
	if number, ok := Number(sealed); ok && number == key.number {
		return sealed, false, nil
	}
	plain, err := s.Open(sealed, context)
	if err != nil {
		return nil, false, err
	}
	first, err := s.First(sealed)
	if err != nil {
		return nil, false, err
	}
	origin, err := key.cipher.Encrypt(first, []byte(originPlace))
	if err != nil {
		return nil, false, fmt.Errorf("reseal %s: %w", context, err)
	}
	text, err := key.cipher.Encrypt(plain, renewedPlace(context, origin))
	if err != nil {
		return nil, false, fmt.Errorf("reseal %s: %w", context, err)
	}
	out := binary.BigEndian.AppendUint32([]byte{renewedForm}, key.number)
	out = binary.BigEndian.AppendUint32(out, uint32(len(origin))) // #nosec G115 -- a column's value
	return append(append(out, origin...), text...), true, nil
}

// First is a value as it was sealed first, however often it was sealed anew: what a digest
// was made of stays the same when keys are replaced. Whether it opens, Open says.
func (s *Sealer) First(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != renewedForm {
		return sealed, nil
	}
	key, err := s.keyOf(sealed)
	if err != nil {
		return nil, err
	}
	origin, _, err := renewed(sealed)
	if err != nil {
		return nil, err
	}
	first, err := key.cipher.Decrypt(origin, []byte(originPlace))
	if err != nil {
		return nil, ErrOpen
	}
	return first, nil
}

// renewed parts a renewed value.
func renewed(sealed []byte) (origin, text []byte, err error) {
	if len(sealed) < originFrom {
		return nil, nil, ErrOpen
	}
	rest := sealed[originFrom:]
	length := binary.BigEndian.Uint32(sealed[numberEnds:originFrom])
	if uint64(length) > uint64(len(rest)) {
		return nil, nil, ErrOpen
	}
	return rest[:length], rest[length:], nil
}

// renewedPlace binds a renewed ciphertext to its context and its origin. No context holds
// the byte between them.
func renewedPlace(context string, origin []byte) []byte {
	return append(append([]byte(context), 0), origin...)
}
