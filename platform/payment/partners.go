package payment

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/singleflight"

	"github.com/eshik-kg/eshik/platform/limit"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Partners are the wallets and banks that pay through us, and their secrets.
//
// A secret is 32 random bytes of ours, which nobody guesses however fast a guess
// is judged, so it is kept as a keyed hash, judged in microseconds (decision 10).
// Earlier versions kept an argon2id hash: it is good once, and replaced.
type Partners struct {
	db     *store.DB
	sealer *seal.Sealer
	guess  Guesses
	now    func() time.Time
	random io.Reader
	// flights share one argon2id run among all who wait with the same secret, and
	// hashing lets one run at a time: each takes 64 MiB.
	flights singleflight.Group
	hashing chan struct{}
}

// Guesses bounds how often an address may be wrong about a partner
// (platform/limit).
type Guesses interface {
	Allow(ctx context.Context, key string, rate limit.Rate) (ok bool, wait time.Duration, err error)
}

const (
	secretBytes = 32
	// Purposes of the keyed hashes.
	secretPurpose  = "partner.secret"
	addressPurpose = "partner.address"
	// keyedHash begins a hash that is not argon2id's, which begins with $.
	keyedHash = "hmac-sha256:"
)

// wrongSecrets is how often one address may be wrong about one partner. Whoever
// has the right secret is never counted.
var wrongSecrets = limit.Rate{N: 20, Per: time.Minute}

// ErrPartnerExists is returned by CreatePartner for an id in use.
var ErrPartnerExists = errors.New("there is a partner of this id already")

var (
	errPartner = problem.New(problem.Unauthenticated, "problem.partner_secret")
	errWait    = problem.New(problem.TooMany, "problem.partner_wait")
	partnerID  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)
)

// NewPartners makes the store of partners; random is crypto/rand.Reader.
func NewPartners(db *store.DB, sealer *seal.Sealer, guess Guesses, now func() time.Time, random io.Reader) *Partners {
	return &Partners{db: db, sealer: sealer, guess: guess, now: now, random: random, hashing: make(chan struct{}, 1)}
}

// hash is what is kept of a partner's secret.
func (p *Partners) hash(id, secret string) string {
	return keyedHash + p.sealer.Index(secretPurpose, id+":"+secret)
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
	err = p.db.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).CreatePartner(ctx, db.CreatePartnerParams{
			ID: id, SecretHash: p.hash(id, secret), CreatedAt: dbtime.From(p.now()),
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

// Authenticate checks a partner's secret; address is where the request came from.
// Unknown, disabled and wrong are one problem, partner_secret; an address that was
// wrong too often hears partner_wait, and the right secret is taken from it all the
// same.
func (p *Partners) Authenticate(ctx context.Context, id, secret, address string) error {
	if !partnerID.MatchString(id) {
		return errPartner
	}
	row, err := db.New(p.db.Reader()).GetPartner(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return p.wrong(ctx, "", address) // names that somebody makes up are one
	}
	if err != nil {
		return fmt.Errorf("read a partner: %w", err)
	}
	ok := false
	switch {
	case !row.DisabledAt.IsZero():
	case strings.HasPrefix(row.SecretHash, keyedHash):
		ok = subtle.ConstantTimeCompare([]byte(p.hash(id, secret)), []byte(row.SecretHash)) == 1
	default:
		if ok, err = p.earlier(ctx, row, secret, address); err != nil {
			return err
		}
	}
	if ok {
		return nil
	}
	return p.wrong(ctx, id, address)
}

// wrong counts a wrong secret.
func (p *Partners) wrong(ctx context.Context, id, address string) error {
	if err := p.count(ctx, "partner|"+id, address, wrongSecrets); err != nil {
		return err
	}
	return errPartner
}

// count lets an address do something at a rate, and says how long to wait after it.
func (p *Partners) count(ctx context.Context, what, address string, rate limit.Rate) error {
	ok, wait, err := p.guess.Allow(ctx, what+"|"+p.sealer.Index(addressPurpose, address), rate)
	if err != nil {
		return fmt.Errorf("count a partner's requests: %w", err)
	}
	if !ok {
		return errWait.After(wait)
	}
	return nil
}

// earlier checks a secret against the argon2id hash of an earlier version and, when
// it is right, keeps the keyed one. All who come with one secret at once share one
// run, and an address has one run a second for each partner.
func (p *Partners) earlier(ctx context.Context, row db.Partner, secret, address string) (bool, error) {
	got, err, _ := p.flights.Do(p.hash(row.ID, secret)+address, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), earlierTime)
		defer cancel()
		return p.renew(ctx, row.ID, secret, address)
	})
	if err != nil {
		return false, fmt.Errorf("check a partner's secret: %w", err)
	}
	ok, _ := got.(bool)
	return ok, nil
}

// renew is earlier's one run. It reads the partner again: another flight may have
// just landed.
func (p *Partners) renew(ctx context.Context, id, secret, address string) (bool, error) {
	row, err := db.New(p.db.Reader()).GetPartner(ctx, id)
	if err != nil {
		return false, err
	}
	hash := p.hash(id, secret)
	if strings.HasPrefix(row.SecretHash, keyedHash) {
		return subtle.ConstantTimeCompare([]byte(hash), []byte(row.SecretHash)) == 1, nil
	}
	if err := p.count(ctx, "partner.earlier|"+id, address, limit.Rate{N: 1, Per: time.Second}); err != nil {
		return false, err
	}
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	ok, err := argon2id.ComparePasswordAndHash(secret, row.SecretHash)
	if err != nil || !ok {
		return false, err
	}
	return true, p.db.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).RenewSecret(ctx, db.RenewSecretParams{ID: id, SecretHash: hash, Was: row.SecretHash})
	})
}

// earlierTime bounds the wait for an argon2id run.
const earlierTime = 10 * time.Second
