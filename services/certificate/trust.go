package certificate

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/sign"
)

// TrustCached is how long the published keys may be kept by whoever fetched them. A new key
// signs at once: who meets one that is not known fetches them anew.
const TrustCached = 5 * time.Minute

// TrustedKey is a key by which certificates are verified, as it is published: a JSON Web Key
// with when it signs, as OpenID Federation 1.0 has it for keys of before (nbf, exp, revoked).
type TrustedKey struct {
	jws.Key
	From    int64       `json:"nbf"`           // seconds since 1970, as Until
	Until   int64       `json:"exp,omitempty"` // 0: it signs
	Revoked *Revocation `json:"revoked,omitempty"`
}

// Revocation says since when the private half of a key may be in other hands.
type Revocation struct {
	At int64 `json:"revoked_at"` // seconds since 1970
}

// TrustedKeys lists every key that ever signed certificates, the oldest first.
func (s *Service) TrustedKeys(ctx context.Context) ([]TrustedKey, error) {
	keys, err := s.Signer.Public(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish the keys of certificates: %w", err)
	}
	list := make([]TrustedKey, len(keys))
	for i, key := range keys {
		if list[i], err = trusted(key); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func trusted(key sign.PublicKey) (out TrustedKey, err error) {
	if out.Key, err = key.JWK(); err != nil {
		return out, err
	}
	out.From = key.MadeAt.Unix()
	if !key.RetiredAt.IsZero() {
		out.Until = key.RetiredAt.Unix()
	}
	if !key.RevealedAt.IsZero() {
		out.Revoked = &Revocation{At: key.RevealedAt.Unix()}
	}
	return out, nil
}

// KeySet is the same keys as a COSE_KeySet (RFC 9052, section 7).
func (s *Service) KeySet(ctx context.Context) ([]byte, error) {
	keys, err := s.Signer.Public(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish the keys of certificates: %w", err)
	}
	return sign.KeySet(keys)
}
