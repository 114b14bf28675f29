// Package sign makes and checks the house's signatures: a COSE_Sign1 message
// (RFC 9052) with ES256 that carries a CBOR Web Token (RFC 8392). Keys are made
// here, their private halves lie sealed in SQL, and a key that no longer signs
// goes on verifying for ever.
package sign

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/sign/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ErrForged reports a message that none of our keys signed, or that was changed
// since.
var ErrForged = errors.New("the message carries no valid signature of ours")

// MaxMessage is the largest message that Verify reads, in bytes: no QR code
// holds more.
const MaxMessage = 4296

// Sealer encrypts what must not lie in plain in the database.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Claims are what a message says, by the claim keys of RFC 8392.
type Claims struct {
	Issuer   string `cbor:"1,keyasint"`
	IssuedAt int64  `cbor:"6,keyasint"` // seconds since 1970
	ID       []byte `cbor:"7,keyasint"` // cti: unique among all we sign
	// Content is the issuer's own claim, CBOR, under a key of the private range.
	Content cbor.RawMessage `cbor:"-65537,keyasint"`
}

// PublicKey is what anybody needs to verify our messages.
type PublicKey struct {
	KID        string // hex; the message's kid header holds the bytes
	Generation int64  // the highest one signs
	COSE       []byte // COSE_Key (RFC 9052, section 7)
	MadeAt     time.Time
}

// Keys signs with the newest key and verifies with any. It is safe for
// concurrent use, by several processes on one database too.
type Keys struct {
	db     *store.DB
	sealer Sealer
	now    func() time.Time

	mu        sync.Mutex
	signer    cose.Signer // of signerKID
	signerKID string
	verifiers map[string]cose.Verifier // keys never change: kept for good
}

// Open reads the keys and makes the first one where there is none.
func Open(ctx context.Context, database *store.DB, sealer Sealer, now func() time.Time) (*Keys, error) {
	k := &Keys{db: database, sealer: sealer, now: now, verifiers: map[string]cose.Verifier{}}
	_, err := db.New(database.Reader()).CurrentKey(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		err = k.add(ctx, 1)
	}
	if err != nil {
		return nil, fmt.Errorf("open the signing keys: %w", err)
	}
	// A sealed key that cannot be opened (a wrong master key) shows now, not at
	// the first certificate.
	if _, _, err := k.current(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// Rotate makes a new key, which signs from now on, and returns its id. When two
// processes rotate at once, one new key is made.
func (k *Keys) Rotate(ctx context.Context) (kid string, err error) {
	row, err := db.New(k.db.Reader()).CurrentKey(ctx)
	if err != nil {
		return "", fmt.Errorf("read the current key: %w", err)
	}
	if err := k.add(ctx, row.Generation+1); err != nil {
		return "", err
	}
	kid, _, err = k.current(ctx)
	return kid, err
}

// add makes the key of a generation, unless somebody else just did.
func (k *Keys) add(ctx context.Context, generation int64) error {
	kid, public, private, err := newKey(rand.Reader)
	if err != nil {
		return err
	}
	sealed, err := k.sealer.Seal(private, sealContext(kid))
	if err != nil {
		return fmt.Errorf("seal a signing key: %w", err)
	}
	return k.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).AddKey(ctx, db.AddKeyParams{
			Kid: kid, Generation: generation, Public: public, Sealed: sealed, MadeAt: dbtime.From(k.now()),
		})
		if err != nil {
			return fmt.Errorf("store a signing key: %w", err)
		}
		return nil
	})
}

func sealContext(kid string) string { return "sign.key:" + kid }

// Sign signs claims with the newest key.
func (k *Keys) Sign(ctx context.Context, claims Claims) ([]byte, error) {
	kid, signer, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(kid)
	if err != nil {
		return nil, fmt.Errorf("read the key's id: %w", err)
	}
	payload, err := cbor.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("encode the claims: %w", err)
	}
	headers := cose.Headers{Protected: cose.ProtectedHeader{
		cose.HeaderLabelAlgorithm: cose.AlgorithmES256,
		cose.HeaderLabelKeyID:     id,
	}}
	message, err := cose.Sign1(rand.Reader, signer, headers, payload, nil)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return message, nil
}

// current gives the newest key, asking the database each time: another process
// may have rotated.
func (k *Keys) current(ctx context.Context) (string, cose.Signer, error) {
	row, err := db.New(k.db.Reader()).CurrentKey(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("read the current key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signerKID == row.Kid {
		return row.Kid, k.signer, nil
	}
	der, err := k.sealer.Open(row.Sealed, sealContext(row.Kid))
	if err != nil {
		return "", nil, fmt.Errorf("open the signing key %s: %w", row.Kid, err)
	}
	private, err := parsePrivate(der)
	if err != nil {
		return "", nil, err
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, private)
	if err != nil {
		return "", nil, fmt.Errorf("use the signing key %s: %w", row.Kid, err)
	}
	k.signerKID, k.signer = row.Kid, signer
	return row.Kid, signer, nil
}

// Verify checks a message against the key that it names and returns what it
// says. ErrForged covers every message that is not ours; any other error is our
// own failure to check.
func (k *Keys) Verify(ctx context.Context, message []byte) (Claims, error) {
	if len(message) > MaxMessage {
		return Claims{}, ErrForged
	}
	var signed cose.Sign1Message
	if err := signed.UnmarshalCBOR(message); err != nil {
		return Claims{}, errors.Join(ErrForged, err)
	}
	// The algorithm and the key's id count only where the signature covers them.
	algorithm, err := signed.Headers.Protected.Algorithm()
	id, named := signed.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	if err != nil || algorithm != cose.AlgorithmES256 || !named || len(id) != kidBytes {
		return Claims{}, ErrForged
	}
	verifier, err := k.verifier(ctx, hex.EncodeToString(id))
	if err != nil {
		return Claims{}, err
	}
	if err := signed.Verify(nil, verifier); err != nil {
		return Claims{}, errors.Join(ErrForged, err)
	}
	var claims Claims
	if err := cbor.Unmarshal(signed.Payload, &claims); err != nil {
		return Claims{}, errors.Join(ErrForged, err)
	}
	return claims, nil
}

func (k *Keys) verifier(ctx context.Context, kid string) (cose.Verifier, error) {
	k.mu.Lock()
	known := k.verifiers[kid]
	k.mu.Unlock()
	if known != nil {
		return known, nil
	}
	encoded, err := db.New(k.db.Reader()).PublicKey(ctx, kid)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrForged
	}
	if err != nil {
		return nil, fmt.Errorf("read the public key %s: %w", kid, err)
	}
	verifier, err := parsePublic(encoded)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	k.verifiers[kid] = verifier
	k.mu.Unlock()
	return verifier, nil
}

// Public lists every key that ever signed, the oldest first.
func (k *Keys) Public(ctx context.Context) ([]PublicKey, error) {
	rows, err := db.New(k.db.Reader()).PublicKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the public keys: %w", err)
	}
	keys := make([]PublicKey, len(rows))
	for i, row := range rows {
		keys[i] = PublicKey{KID: row.Kid, Generation: row.Generation, COSE: row.Public, MadeAt: row.MadeAt.Time}
	}
	return keys, nil
}
