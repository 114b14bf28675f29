package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/jws"
)

const (
	// KeysCached is how long others may keep the keys that PublicKeys gives.
	KeysCached = 5 * time.Minute
	// KeyLeads is how long a new key is published before it signs: all who verify know it
	// by then, and an operator who made it by mistake has time to think.
	KeyLeads = time.Hour
	// keyOverlap is how long a key verifies beyond its last token.
	keyOverlap = 5 * time.Minute
	// ringLasts is how long the keys are taken as they were read.
	ringLasts = time.Minute
	// ringRests is between two readings because of a key that is not known: whoever invents
	// kids costs no more.
	ringRests = time.Second
)

// legacyKID names the one key that versions before made. All others are named by their
// thumbprint, which another key cannot have.
const legacyKID = "t1"

// keyring holds the keys of tokens as they were read last. The zero keyring has none.
type keyring struct {
	mu     sync.Mutex // held while they are read
	readAt time.Time
	keys   []ringKey            // those that stand, in the order of their slots
	opened map[string]openedKey // by kid: a row is opened once
}

// ringKey is a key of tokens that was not revoked.
type ringKey struct {
	ID        string
	public    *jws.PublicKey
	published jws.Key
	private   *ecdsa.PrivateKey
	slot      int64
	madeAt    time.Time
	signsFrom time.Time
	// until is when the last of its tokens is over; zero where no other key follows.
	until time.Time
}

func (k ringKey) over(now time.Time) bool { return !k.until.IsZero() && !now.Before(k.until) }

// openedKey is what became of a row: the key, or why it is none.
type openedKey struct {
	sealed []byte
	key    ringKey
	err    error
}

// signingKey is the newest key that signs by now. It is asked of the database each time: no
// instance signs with what another has revoked.
func (s *Service) signingKey(ctx context.Context, now time.Time) (ringKey, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if err := s.readKeys(ctx); err != nil {
		return ringKey{}, err
	}
	return signing(s.keys.keys, now)
}

// signing is the newest of the keys that signs by now; where none does yet, as a clock is
// behind, the oldest.
func signing(keys []ringKey, now time.Time) (ringKey, error) {
	if len(keys) == 0 {
		return ringKey{}, errors.New("there is no key of tokens that can be used")
	}
	key := keys[0]
	for _, k := range keys[1:] {
		if !now.Before(k.signsFrom) {
			key = k
		}
	}
	return key, nil
}

// verifyingKey finds a key of tokens among ours; jws.ErrRefused where it is none, or is over.
func (s *Service) verifyingKey(ctx context.Context, kid string) (*jws.PublicKey, error) {
	now := s.Now()
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	key := s.keys.find(kid)
	old := now.Sub(s.keys.readAt)
	if old >= ringLasts || key == nil && old >= ringRests {
		if err := s.readKeys(ctx); err != nil {
			return nil, err
		}
		key = s.keys.find(kid)
	}
	if key == nil || key.over(now) {
		return nil, jws.ErrRefused
	}
	return key.public, nil
}

func (r *keyring) find(kid string) *ringKey {
	for i := range r.keys {
		if r.keys[i].ID == kid {
			return &r.keys[i]
		}
	}
	return nil
}

// PublicKeys are the keys by which access tokens are verified, that of tokens to come among
// them: what is kept of them longer than KeysCached may lack one.
func (s *Service) PublicKeys(ctx context.Context) ([]jws.Key, error) {
	// Others keep what they are given: it must not have a key that was revoked just now. Who
	// verifies a token does not wait for this reading, which anybody may ask for.
	rows, err := db.New(s.DB.Reader()).Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the keys of tokens: %w", err)
	}
	now := s.Now()
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	var published []jws.Key
	for _, k := range s.ring(rows) {
		if !k.over(now) {
			published = append(published, k.published)
		}
	}
	return published, nil
}

// readKeys reads the keys of the database; the ring is locked.
func (s *Service) readKeys(ctx context.Context) error {
	rows, err := db.New(s.DB.Reader()).Keys(ctx)
	if err != nil {
		return fmt.Errorf("read the keys of tokens: %w", err)
	}
	s.keys.keys, s.keys.readAt = s.ring(rows), s.Now()
	return nil
}

// ring makes the keys of their rows. One that cannot be used is named in the log, once.
func (s *Service) ring(rows []db.IdentityKey) (keys []ringKey) {
	opened := make(map[string]openedKey, len(rows))
	for _, row := range rows {
		if !row.RevokedAt.IsZero() {
			continue
		}
		o, known := s.keys.opened[row.Kid]
		if !known || !bytes.Equal(o.sealed, row.PrivateSealed) {
			o = openedKey{sealed: row.PrivateSealed}
			if o.key, o.err = s.openKey(row); o.err != nil {
				s.Log.Error("a key of tokens is not used", "kid", row.Kid, "error", o.err)
			}
		}
		opened[row.Kid] = o
		if o.err != nil {
			continue
		}
		key := o.key
		key.slot, key.madeAt, key.signsFrom = row.Slot, row.CreatedAt.Time, row.SignsFromAt.Time
		if n := len(keys); n > 0 {
			keys[n-1].until = key.signsFrom.Add(TokenLasts + keyOverlap)
		}
		keys = append(keys, key)
	}
	s.keys.opened = opened
	return keys
}

// openKey makes the key of a row's sealed half, which alone says what it is.
func (s *Service) openKey(row db.IdentityKey) (ringKey, error) {
	der, err := s.Sealer.Open(row.PrivateSealed, keySeal(row.Kid))
	if err != nil {
		return ringKey{}, fmt.Errorf("is this the master key of this database? %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return ringKey{}, fmt.Errorf("read a private key: %w", err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return ringKey{}, fmt.Errorf("a %T signs no tokens", parsed)
	}
	published, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		return ringKey{}, err
	}
	if row.Kid != legacyKID && row.Kid != published.ID {
		return ringKey{}, fmt.Errorf("its id is not that of its sealed half, %s", published.ID)
	}
	published.ID = row.Kid
	public, err := published.Verifier()
	if err != nil {
		return ringKey{}, err
	}
	return ringKey{ID: row.Kid, public: public, published: published, private: private}, nil
}

// keySeal binds a sealed key to its id: it opens in no other row.
func keySeal(kid string) string {
	if kid == legacyKID {
		return keyContext
	}
	return keyContext + "/" + kid
}
