package sign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

// kidBytes is how much of the thumbprint names a key: enough to tell our few
// keys apart, and short in a QR code.
const kidBytes = 8

// newKey makes a P-256 key: its id, its COSE_Key, and its private part as PKCS #8.
func newKey(random io.Reader) (kid string, public, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return "", nil, nil, fmt.Errorf("generate a P-256 key: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return "", nil, nil, fmt.Errorf("encode the private key: %w", err)
	}
	if kid, public, err = encodePublic(&key.PublicKey); err != nil {
		return "", nil, nil, err
	}
	return kid, public, private, nil
}

// encodePublic gives a key's COSE_Key and its id: the head of the SHA-256
// thumbprint over the required parameters in deterministic CBOR (RFC 9679).
func encodePublic(public *ecdsa.PublicKey) (kid string, encoded []byte, err error) {
	cosePublic, err := cose.NewKeyFromPublic(public)
	if err != nil {
		return "", nil, fmt.Errorf("make a COSE key: %w", err)
	}
	_, x, y, _ := cosePublic.EC2()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return "", nil, fmt.Errorf("prepare CBOR: %w", err)
	}
	required, err := mode.Marshal(map[int]any{1: 2, -1: 1, -2: x, -3: y}) // kty EC2, crv P-256, x, y
	if err != nil {
		return "", nil, fmt.Errorf("encode the thumbprint: %w", err)
	}
	print := sha256.Sum256(required)
	kid = hex.EncodeToString(print[:kidBytes])
	cosePublic.ID = print[:kidBytes]
	if encoded, err = cosePublic.MarshalCBOR(); err != nil {
		return "", nil, fmt.Errorf("encode the COSE key: %w", err)
	}
	return kid, encoded, nil
}

// parsePrivate reads a PKCS #8 key.
func parsePrivate(der []byte) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign ES256", parsed)
	}
	return key, nil
}

// parsePublic makes a verifier of a COSE_Key.
func parsePublic(encoded []byte) (cose.Verifier, error) {
	var key cose.Key
	if err := key.UnmarshalCBOR(encoded); err != nil {
		return nil, fmt.Errorf("read the COSE key: %w", err)
	}
	verifier, err := key.Verifier()
	if err != nil {
		return nil, fmt.Errorf("use the COSE key: %w", err)
	}
	return verifier, nil
}
