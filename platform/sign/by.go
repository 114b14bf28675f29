package sign

import (
	"crypto/ecdsa"
	"errors"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// ErrStranger reports a message of a key that is not known.
var ErrStranger = errors.New("the message names a key that is not known")

// Read gives what a message says, and the id of the key that it names, whoever signed it.
func Read(message []byte) (Claims, string, error) {
	var signed cose.Sign1Message
	if len(message) > MaxMessage {
		return Claims{}, "", ErrForged
	}
	if err := signed.UnmarshalCBOR(message); err != nil {
		return Claims{}, "", errors.Join(ErrForged, err)
	}
	kid, err := signer(signed)
	if err != nil {
		return Claims{}, "", err
	}
	var claims Claims
	if err := cbor.Unmarshal(signed.Payload, &claims); err != nil {
		return Claims{}, "", errors.Join(ErrForged, err)
	}
	return claims, kid, nil
}

// VerifyBy checks a message by published keys alone and returns what it says. ErrForged and
// ErrStranger, with which what it says comes unproved, are all that may be wrong.
func VerifyBy(message []byte, find func(kid string) *ecdsa.PublicKey) (Claims, error) {
	claims, kid, err := Read(message)
	if err != nil {
		return Claims{}, err
	}
	key := find(kid)
	if key == nil {
		return claims, ErrStranger
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, key)
	if err != nil {
		return claims, errors.Join(ErrStranger, err)
	}
	var signed cose.Sign1Message
	if err := signed.UnmarshalCBOR(message); err != nil {
		return claims, errors.Join(ErrForged, err)
	}
	if err := signed.Verify(nil, verifier); err != nil {
		return claims, errors.Join(ErrForged, err)
	}
	return claims, nil
}
