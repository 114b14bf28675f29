// Package sign makes and checks the house's signatures: a COSE_Sign1 message
// (RFC 9052) with ES256 that carries a CBOR Web Token (RFC 8392). Keys are made
// here, their private halves lie sealed in SQL, and a key that no longer signs
// goes on verifying for ever. What a key is follows from its sealed half alone.
package sign

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/sign/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
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
	// Expires is until when it holds, in seconds since 1970; 0: it says nothing of it.
	Expires int64 `cbor:"4,keyasint,omitempty"`
	// Status is which bit of the issuer's status lists tells whether it was taken back, under a key of
	// the private range: the registered claim (65535) repeats the list's address in each; nil: none does.
	Status *int64 `cbor:"-65538,keyasint,omitempty"`
	// Content is the issuer's own claim, CBOR, under a key of the private range.
	Content cbor.RawMessage `cbor:"-65537,keyasint"`
}

// Deps is what Keys stand on; every field is needed.
type Deps struct {
	DB     *store.DB
	Sealer Sealer
	Trail  *trail.Trail
	Now    func() time.Time
	Log    *slog.Logger
}

// Keys signs with the newest key and verifies with any. It is safe for
// concurrent use, by several processes on one database too.
type Keys struct {
	Deps

	mu      sync.Mutex
	known   map[string]*key    // by id; keys never change: kept for good
	refused map[string]refusal // by id: a row is opened, and told of, once
}

// refusal is a row that is no key of ours, and why.
type refusal struct {
	row db.SignKey
	why error
}

// Open reads the keys and makes the first one where there is none. The log is told of
// each row that is not what its sealed half says.
func Open(ctx context.Context, d Deps) (*Keys, error) {
	if err := needs.All("the signing keys", d); err != nil {
		return nil, err
	}
	k := &Keys{Deps: d, known: map[string]*key{}, refused: map[string]refusal{}}
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err == nil && len(rows) == 0 {
		err = k.DB.InTx(ctx, func(tx *store.Tx) error { return k.add(ctx, tx, 1) })
	}
	if err != nil {
		return nil, fmt.Errorf("open the signing keys: %w", err)
	}
	// Keys of which none can be opened (a wrong master key) show now, not at the
	// first certificate.
	if _, err := k.current(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

func sealContext(kid string) string { return "sign.key:" + kid }

// Sign signs claims with the newest key.
func (k *Keys) Sign(ctx context.Context, claims Claims) ([]byte, error) {
	key, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(key.kid)
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
	message, err := cose.Sign1(rand.Reader, key.signer, headers, payload, nil)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return message, nil
}

// SignToken signs a payload with the newest key as a JSON Web Signature of a type (RFC 7515): what
// is published of our messages. No token is a message, nor the other way: what is signed of a
// message begins with an array of CBOR, of a token with base64url.
func (k *Keys) SignToken(ctx context.Context, typ string, payload any) (string, error) {
	key, err := k.current(ctx)
	if err != nil {
		return "", err
	}
	return jws.Sign(typ, key.kid, payload, key.private)
}

// current gives the newest key, asking the database each time: another process
// may have rotated.
func (k *Keys) current(ctx context.Context) (*key, error) {
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	_, key, err := k.newest(rows)
	return key, err
}

// newest gives the first of the rows, the newest first, that is a key of ours. Where
// none is, the error names them all.
func (k *Keys) newest(rows []db.SignKey) (db.SignKey, *key, error) {
	faults := []error{errors.New("no signing key can be used")}
	for _, row := range rows {
		key, err := k.load(row)
		if err == nil {
			return row, key, nil
		}
		faults = append(faults, err)
	}
	return db.SignKey{}, nil, errors.Join(faults...)
}

// load gives the key of a row, opening it once. A public half that is not the sealed
// one's is never used: the log is told, and the key is still that of the sealed half,
// so that what it signed goes on verifying.
func (k *Keys) load(row db.SignKey) (*key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.known[row.Kid]; known != nil {
		return known, nil
	}
	if refused, told := k.refused[row.Kid]; told && reflect.DeepEqual(refused.row, row) {
		return nil, refused.why
	}
	opened, err := unseal(k.Sealer, row)
	if err != nil {
		k.refused[row.Kid] = refusal{row: row, why: err}
		k.Log.Error("a row of the signing keys is not used", "kid", row.Kid, "error", err)
		return nil, err
	}
	if err := opened.compare(row); err != nil {
		k.Log.Error("the public half of a signing key was changed, the sealed half is used", "kid", row.Kid, "error", err)
	}
	delete(k.refused, row.Kid)
	k.known[row.Kid] = opened
	return opened, nil
}

// Verify checks a message against the key that it names and returns what it
// says. ErrForged covers every message that is not ours; any other error is our
// own failure to check.
func (k *Keys) Verify(ctx context.Context, message []byte) (Claims, error) {
	m, err := Read(message)
	if err != nil {
		return Claims{}, err
	}
	verifier, err := k.verifier(ctx, m.Kid)
	if err != nil {
		return Claims{}, err
	}
	if err := m.verify(verifier); err != nil {
		return Claims{}, err
	}
	return m.Claims, nil
}

// signer is the id of the key that a message names. It and the algorithm count only where
// the signature covers them.
func signer(signed cose.Sign1Message) (string, error) {
	algorithm, err := signed.Headers.Protected.Algorithm()
	id, named := signed.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	if err != nil || algorithm != cose.AlgorithmES256 || !named || len(id) != kidBytes {
		return "", ErrForged
	}
	return hex.EncodeToString(id), nil
}

// verifier gives what checks the messages of a key. A key that is not ours, and a row
// that is none, are ErrForged.
func (k *Keys) verifier(ctx context.Context, kid string) (cose.Verifier, error) {
	k.mu.Lock()
	known := k.known[kid]
	k.mu.Unlock()
	if known != nil {
		return known.verifier, nil
	}
	row, err := db.New(k.DB.Reader()).Key(ctx, kid)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrForged
	}
	if err != nil {
		return nil, fmt.Errorf("read the signing key %s: %w", kid, err)
	}
	opened, err := k.load(row)
	if err != nil {
		return nil, errors.Join(ErrForged, err)
	}
	return opened.verifier, nil
}
