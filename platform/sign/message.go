package sign

import (
	"crypto/ecdsa"
	"errors"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// Message is a signed message that was read. Until it is verified, nothing it says is proved.
type Message struct {
	Claims Claims
	Kid    string // id of the key that it names
	signed cose.Sign1Message
}

// Read reads a message, whoever signed it. ErrForged: it is none.
func Read(message []byte) (m Message, err error) {
	if len(message) > MaxMessage {
		return Message{}, ErrForged
	}
	if err := m.signed.UnmarshalCBOR(message); err != nil {
		return Message{}, errors.Join(ErrForged, err)
	}
	if m.Kid, err = signer(m.signed); err != nil {
		return Message{}, err
	}
	if err := cbor.Unmarshal(m.signed.Payload, &m.Claims); err != nil {
		return Message{}, errors.Join(ErrForged, err)
	}
	return m, nil
}

// VerifyBy checks a message by a published key. ErrForged is all that may be wrong.
func (m Message) VerifyBy(key *ecdsa.PublicKey) error {
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, key)
	if err != nil {
		return errors.Join(ErrForged, err)
	}
	return m.verify(verifier)
}

func (m Message) verify(verifier cose.Verifier) error {
	if err := m.signed.Verify(nil, verifier); err != nil {
		return errors.Join(ErrForged, err)
	}
	return nil
}
