package payment

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Partners are the wallets and banks that pay through us, and their secrets.
type Partners struct {
	db     *store.DB
	now    func() time.Time
	random io.Reader
	// hashing bounds the argon2id runs at once: each takes 64 MiB.
	hashing chan struct{}
	key     []byte

	mu    sync.Mutex
	known map[string]proof
}

// proof remembers that a secret matched a hash, as a keyed digest of the secret
// that is worthless outside of this process. Without it, every request of a
// partner would cost an argon2id run.
type proof struct {
	hash   string
	digest []byte
	until  time.Time
}

const (
	hashingAtOnce = 2
	proofLife     = 10 * time.Minute
	secretBytes   = 32
)

// ErrPartnerExists is returned by CreatePartner for an id in use.
var ErrPartnerExists = errors.New("there is a partner of this id already")

var (
	errPartner = problem.New(problem.Unauthenticated, "problem.partner_secret")
	partnerID  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)
)

// NewPartners makes the store of partners; random is crypto/rand.Reader.
func NewPartners(db *store.DB, now func() time.Time, random io.Reader) (*Partners, error) {
	key := make([]byte, sha256.Size)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("draw the key of remembered proofs: %w", err)
	}
	return &Partners{
		db: db, now: now, random: random, key: key,
		hashing: make(chan struct{}, hashingAtOnce), known: map[string]proof{},
	}, nil
}

// CreatePartner makes a partner and returns its secret, which is kept nowhere:
// show it once. The id is 3 to 40 of a-z, 0-9 and -.
func (p *Partners) CreatePartner(ctx context.Context, id string) (secret string, err error) {
	if !partnerID.MatchString(id) {
		return "", errors.New("a partner's id is 3 to 40 of a-z, 0-9 and -")
	}
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(p.random, raw); err != nil {
		return "", fmt.Errorf("draw a partner's secret: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(raw)
	hash, err := argon2id.CreateHash(secret, argon2id.DefaultParams)
	if err != nil {
		return "", fmt.Errorf("hash a partner's secret: %w", err)
	}
	err = p.db.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).CreatePartner(ctx, db.CreatePartnerParams{
			ID: id, SecretHash: hash, CreatedAt: dbtime.From(p.now()),
		})
		if err == nil && n == 0 {
			return ErrPartnerExists
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep a partner: %w", err)
	}
	return secret, nil
}

// Authenticate checks a partner's secret. Unknown, disabled and wrong are one
// problem: partner_secret.
func (p *Partners) Authenticate(ctx context.Context, id, secret string) error {
	if !partnerID.MatchString(id) {
		return errPartner
	}
	row, err := db.New(p.db.Reader()).GetPartner(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !row.DisabledAt.IsZero() {
		return errPartner
	}
	if err != nil {
		return fmt.Errorf("read a partner: %w", err)
	}
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(secret))
	digest := mac.Sum(nil)
	if was, ok := p.recall(id, row.SecretHash); ok {
		if subtle.ConstantTimeCompare(was, digest) == 1 {
			return nil
		}
		return errPartner
	}
	ok, err := p.compare(ctx, secret, row.SecretHash)
	if err != nil {
		return err
	}
	if !ok {
		return errPartner
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[id] = proof{hash: row.SecretHash, digest: digest, until: p.now().Add(proofLife)}
	return nil
}

// recall gives the digest that matched this hash lately.
func (p *Partners) recall(id, hash string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, ok := p.known[id]
	if !ok || was.hash != hash || p.now().After(was.until) {
		return nil, false
	}
	return was.digest, true
}

func (p *Partners) compare(ctx context.Context, secret, hash string) (bool, error) {
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
	case <-ctx.Done():
		return false, fmt.Errorf("wait to check a partner's secret: %w", ctx.Err())
	}
	ok, err := argon2id.ComparePasswordAndHash(secret, hash)
	if err != nil {
		return false, fmt.Errorf("check a partner's secret: %w", err)
	}
	return ok, nil
}
