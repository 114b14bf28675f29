package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/sign/db"
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

// key is a signing key as its sealed half alone makes it: the rest of a row can be
// written by whoever can write to the database.
type key struct {
	kid      string
	public   []byte // COSE_Key
	private  *ecdsa.PrivateKey
	signer   cose.Signer
	verifier cose.Verifier
}

// unseal makes the key of a row's sealed half, which opens under the id of its own
// row only. An error names the row.
func unseal(sealer Sealer, row db.SignKey) (*key, error) {
	der, err := sealer.Open(row.Sealed, sealContext(row.Kid))
	if err != nil {
		return nil, fmt.Errorf("open the signing key %s: %w", row.Kid, err)
	}
	k, err := parsePrivate(der)
	if err != nil {
		return nil, fmt.Errorf("use the signing key %s: %w", row.Kid, err)
	}
	if k.kid != row.Kid {
		return nil, fmt.Errorf("the id of the signing key %s is not that of its sealed half, %s", row.Kid, k.kid)
	}
	return k, nil
}

// parsePrivate makes the key of its PKCS #8.
func parsePrivate(der []byte) (*key, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign ES256", parsed)
	}
	k := &key{private: private}
	if k.kid, k.public, err = encodePublic(&private.PublicKey); err != nil {
		return nil, err
	}
	if k.signer, err = cose.NewSigner(cose.AlgorithmES256, private); err != nil {
		return nil, fmt.Errorf("make a signer: %w", err)
	}
	if k.verifier, err = cose.NewVerifier(cose.AlgorithmES256, &private.PublicKey); err != nil {
		return nil, fmt.Errorf("make a verifier: %w", err)
	}
	return k, nil
}

// compare names the row if the public half in it is not the key's.
func (k *key) compare(row db.SignKey) error {
	if !bytes.Equal(k.public, row.Public) {
		return fmt.Errorf("the public half of the signing key %s is not that of its sealed half", row.Kid)
	}
	return nil
}
