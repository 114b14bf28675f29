package partners

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// earlierTime bounds the wait for an argon2id run.
const earlierTime = 10 * time.Second

// earlier checks a secret against the argon2id hash of an earlier version and, when
// it is right, keeps the keyed one. All who come with one secret at once share one
// run, and an address has one run a second for each credential.
func (s *Service) earlier(ctx context.Context, row db.PartnerCredential, secret, address string) (bool, error) {
	got, err, _ := s.flights.Do(row.ID+s.hash(OSMP, row.PartnerID, secret)+address, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), earlierTime)
		defer cancel()
		return s.renew(ctx, row.ID, secret, address)
	})
	if err != nil {
		return false, fmt.Errorf("check a partner's secret: %w", err)
	}
	ok, _ := got.(bool)
	return ok, nil
}

// renew is earlier's one run. It reads the credential again: another flight may have
// just landed.
func (s *Service) renew(ctx context.Context, id, secret, address string) (bool, error) {
	both, err := db.New(s.DB.Reader()).Credential(ctx, id)
	if err != nil {
		return false, err
	}
	row := both.PartnerCredential
	hash := s.hash(OSMP, row.PartnerID, secret)
	if strings.HasPrefix(row.SecretHash, keyedHash) {
		return subtle.ConstantTimeCompare([]byte(hash), []byte(row.SecretHash)) == 1, nil
	}
	if err := s.count(ctx, earlierHashes.Name+"|"+id, address, earlierHashes); err != nil {
		return false, err
	}
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	ok, err := argon2id.ComparePasswordAndHash(secret, row.SecretHash)
	if err != nil || !ok {
		return false, err
	}
	return true, s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).RenewSecret(ctx, db.RenewSecretParams{ID: id, SecretHash: hash, Was: row.SecretHash})
	})
}
