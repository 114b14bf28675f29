package certificate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// How long what is published may be kept by whoever fetched it. A new key signs at once: who meets
// one that is not known fetches the keys anew.
const (
	TrustCached  = 5 * time.Minute
	StatusCached = statusCached
)

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

// trustType is the type of a signed trust bundle.
const trustType = "eshik-trust+jwt"

// bundle is all that verifying a certificate takes, as of a moment, in one signed file.
type bundle struct {
	Issuer     string   `json:"iss"` // who the records name
	AsOf       int64    `json:"iat"` // seconds since 1970, as the next two
	NextUpdate int64    `json:"next_update"`
	Until      int64    `json:"exp"`
	Keys       keys     `json:"keys"`
	Lists      []string `json:"status_lists"` // signed, by number
}

// keys is a JSON Web Key Set (RFC 7517).
type keys struct {
	Keys []TrustedKey `json:"keys"`
}

// published is what was signed last of the status lists.
type published struct {
	mu     sync.Mutex
	of     string // what it was made of: when that changes, it is made anew
	at     time.Time
	lists  []string
	bundle string
}

// signedState is the status lists and the trust bundle as of now.
type signedState struct {
	lists  []string
	bundle string
}

// Trust is the trust bundle as of now: the keys and the status lists, signed and dated.
func (s *Service) Trust(ctx context.Context) (string, error) {
	now, err := s.publish(ctx)
	return now.bundle, err
}

// publish signs the status lists and the bundle, unless they were a moment ago and nothing was
// revoked and no key made since: anybody may ask, and signing takes time.
func (s *Service) publish(ctx context.Context) (signedState, error) {
	s.made.mu.Lock() // what is read later is signed later
	defer s.made.mu.Unlock()
	now := s.Now() // before it is read: nothing is dated later than what it tells
	revoked, newest, err := s.revoked(ctx)
	if err != nil {
		return signedState{}, err
	}
	list, err := s.TrustedKeys(ctx)
	if err != nil {
		return signedState{}, err
	}
	of, err := json.Marshal([]any{revoked, newest, list})
	if err != nil {
		return signedState{}, fmt.Errorf("name what is published: %w", err)
	}
	if age := now.Sub(s.made.at); s.made.of != string(of) || age < 0 || age >= statusCached {
		made, err := s.signState(ctx, revoked, newest, list, now)
		if err != nil {
			return made, err
		}
		s.made.of, s.made.at, s.made.lists, s.made.bundle = string(of), now, made.lists, made.bundle
	}
	return signedState{s.made.lists, s.made.bundle}, nil
}

// revoked are the bits that are set, and the newest list.
func (s *Service) revoked(ctx context.Context) (indices []int64, newest int64, err error) {
	q := db.New(s.DB.Reader())
	if newest, err = newestList(ctx, q); err != nil {
		return nil, 0, err
	}
	rows, err := q.RevokedStatuses(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("read what was revoked: %w", err)
	}
	for _, row := range rows {
		indices = append(indices, row.Int64)
	}
	return indices, newest, nil
}

func (s *Service) signState(ctx context.Context, revoked []int64, newest int64, list []TrustedKey, now time.Time) (out signedState, err error) {
	for n := range newest + 1 {
		signed, err := s.signList(ctx, n, revoked, now)
		if err != nil {
			return out, fmt.Errorf("sign a status list: %w", err)
		}
		out.lists = append(out.lists, signed)
	}
	out.bundle, err = s.Signer.SignToken(ctx, trustType, bundle{
		Issuer: s.Issuer, AsOf: now.Unix(), NextUpdate: now.Add(trustRenewed).Unix(), Until: now.Add(trustLasts).Unix(), Keys: keys{list}, Lists: out.lists,
	})
	if err != nil {
		return out, fmt.Errorf("sign the trust bundle: %w", err)
	}
	return out, nil
}

// origin is our address: what is published stands under it.
func (s *Service) origin() string { return strings.TrimSuffix(s.VerifyURL, verifyPage) }
