package sign

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/sign/db"
)

// PublicKey is what anybody needs to verify our messages.
type PublicKey struct {
	KID        string // hex; the message's kid header holds the bytes
	Generation int64  // the highest one signs
	COSE       []byte // COSE_Key (RFC 9052, section 7)
	MadeAt     time.Time
	RetiredAt  time.Time // since when the next one signs; zero: it signs
	RevealedAt time.Time // since when its private half may be in other hands; zero: it is not
}

// Public lists every key of ours that ever signed, the oldest first.
func (k *Keys) Public(ctx context.Context) ([]PublicKey, error) {
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the public keys: %w", err)
	}
	var keys []PublicKey
	for _, row := range slices.Backward(rows) {
		key, err := k.load(row)
		if err != nil { // the log was told of it
			continue
		}
		if n := len(keys); n > 0 {
			keys[n-1].RetiredAt = row.MadeAt.Time
		}
		keys = append(keys, PublicKey{KID: key.kid, Generation: row.Generation, COSE: key.public, MadeAt: row.MadeAt.Time, RevealedAt: row.RevealedAt.Time})
	}
	return keys, nil
}

// JWK is the key as a JSON Web Key (RFC 7517) under its id.
func (p PublicKey) JWK() (jws.Key, error) {
	var key cose.Key
	if err := key.UnmarshalCBOR(p.COSE); err != nil {
		return jws.Key{}, fmt.Errorf("read the key %s: %w", p.KID, err)
	}
	public, err := key.PublicKey()
	if err != nil {
		return jws.Key{}, fmt.Errorf("read the key %s: %w", p.KID, err)
	}
	elliptic, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return jws.Key{}, errors.New("the key " + p.KID + " is of no elliptic curve")
	}
	made, err := jws.KeyOf(elliptic)
	made.ID = p.KID
	return made, err
}

// The parameters of a COSE_Key in which a set says when its key signs; RFC 9052 leaves text
// labels to whoever publishes. They are called and counted as those of a JWK.
const (
	keyFrom    = "nbf"     // seconds since 1970
	keyUntil   = "exp"     // seconds since 1970; absent: it signs
	keyRevoked = "revoked" // seconds since 1970; absent: it is not
)

// KeySet writes keys as a COSE_KeySet (RFC 9052, section 7).
func KeySet(keys []PublicKey) ([]byte, error) {
	set := make([]map[any]any, len(keys))
	for i, key := range keys {
		if err := cbor.Unmarshal(key.COSE, &set[i]); err != nil {
			return nil, fmt.Errorf("read the key %s: %w", key.KID, err)
		}
		set[i][keyFrom] = key.MadeAt.Unix()
		if !key.RetiredAt.IsZero() {
			set[i][keyUntil] = key.RetiredAt.Unix()
		}
		if !key.RevealedAt.IsZero() {
			set[i][keyRevoked] = key.RevealedAt.Unix()
		}
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("prepare CBOR: %w", err)
	}
	out, err := mode.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode the key set: %w", err)
	}
	return out, nil
}
