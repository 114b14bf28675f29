package partners

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
)

const (
	secretBytes = 32
	// Purposes of the keyed hashes.
	secretPurpose      = "partner.secret"
	certificatePurpose = "partner.certificate"
	addressPurpose     = "partner.address"
	// keyedHash begins a hash that is not argon2id's, which begins with $.
	keyedHash = "hmac-sha256:"
)

// wrongSecrets is how often one address may be wrong, whomever it says to be: what is
// answered tells a partner that there is from one that is made up by nothing. Whoever has
// the right secret is never counted.
var wrongSecrets = limit.Rule{
	Name: "partner", What: "wrong secrets of a partner", Who: "an address", Rate: limit.Rate{N: 20, Per: time.Minute},
	Refusal: "problem.partner_wait", Instead: "the right secret is taken all the same", In: limit.InLimiter,
}

var (
	errSecret = problem.New(problem.Unauthenticated, "problem.partner_secret")
)

// Access is what a partner that showed its credential may do.
type Access struct {
	Partner    string
	Credential string
	// Certificate is the thumbprint of the one that it showed, where that was its credential.
	Certificate string
	Scopes      Scopes
	// Quotas are its limits as they stand after this request, also of one that they refuse;
	// none where it has none.
	Quotas []Quota
}

// Authenticate checks a secret for a door, or for TLS the thumbprint of the certificate that the
// connection proved, empty where it proved none; address is where the request came from. All
// that is not right is one problem, partner_secret: no such partner, a wrong secret, one
// that has ended or was disabled, another door's, a network that is not the partner's.
// Each takes one query and one hash. An address that was wrong too often hears
// partner_wait, and the right secret is taken from it all the same. A partner that made
// too many requests hears partner_many.
func (s *Service) Authenticate(ctx context.Context, kind Kind, id, secret, address string) (Access, error) {
	if !partnerID.MatchString(id) {
		return Access{}, errSecret
	}
	rows, err := db.New(s.DB.Reader()).CredentialsOf(ctx, db.CredentialsOfParams{ID: id, Kind: string(kind)})
	if err != nil {
		return Access{}, fmt.Errorf("read a partner's credentials: %w", err)
	}
	now, hash := s.Now(), s.hash(kind, id, secret)
	var right *db.CredentialsOfRow
	for i, row := range rows { // to the end, whichever it is
		ok := subtle.ConstantTimeCompare([]byte(hash), []byte(row.PartnerCredential.SecretHash)) == 1
		if !ok && kind == OSMP && !strings.HasPrefix(row.PartnerCredential.SecretHash, keyedHash) && usable(row.Partner, row.PartnerCredential, now) {
			if ok, err = s.earlier(ctx, row.PartnerCredential, secret, address); err != nil {
				return Access{}, err
			}
		}
		if ok {
			right = &rows[i]
		}
	}
	if right == nil {
		return Access{}, s.wrong(ctx, address)
	}
	access, err := s.admit(ctx, right.Partner, right.PartnerCredential, address, now)
	if kind == TLS {
		access.Certificate = secret
	}
	return access, err
}

// admit lets the owner of a credential in, if it is good now.
func (s *Service) admit(ctx context.Context, partner db.Partner, row db.PartnerCredential, address string, now time.Time) (Access, error) {
	p, err := partnerOf(partner)
	if err != nil {
		return Access{}, err
	}
	if !usable(partner, row, now) || !p.admits(address) {
		return Access{}, s.wrong(ctx, address)
	}
	quotas, err := s.within(ctx, p)
	if err != nil {
		return Access{Quotas: quotas}, err
	}
	return Access{Partner: p.ID, Credential: row.ID, Scopes: p.Scopes, Quotas: quotas}, s.used(ctx, row, now)
}

// usable reports whether a credential is good at a moment.
func usable(partner db.Partner, row db.PartnerCredential, now time.Time) bool {
	return partner.DisabledAt.IsZero() && stateOf(row, now) == Valid
}

// used notes the day on which a credential was used, once a day.
func (s *Service) used(ctx context.Context, row db.PartnerCredential, now time.Time) error {
	today := clock.ISODay(now)
	if row.UsedOn >= today {
		return nil
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).UsedOn(ctx, db.UsedOnParams{Today: today, ID: row.ID})
	})
	if err != nil {
		return fmt.Errorf("note that a credential was used: %w", err)
	}
	return nil
}

// hash is what is kept of a partner's secret (decision 11). That of a thumbprint, which is no
// secret, is of a purpose of its own: in another row it opens nothing.
func (s *Service) hash(kind Kind, id, secret string) string {
	purpose := secretPurpose
	if kind == TLS {
		purpose = certificatePurpose
	}
	return keyedHash + s.Sealer.Index(purpose, id+":"+secret)
}

// wrong counts a wrong secret.
func (s *Service) wrong(ctx context.Context, address string) error {
	if err := s.count(ctx, wrongSecrets.Name, address, wrongSecrets); err != nil {
		return err
	}
	return errSecret
}

// count lets an address do something at a rate, and says how long to wait after it.
func (s *Service) count(ctx context.Context, what, address string, rule limit.Rule) error {
	network := caller.Caller{Address: address}.Network()
	ok, wait, err := s.Limiter.Allow(ctx, what+"|"+s.Sealer.Index(addressPurpose, network), rule.Rate)
	if err != nil {
		return fmt.Errorf("count a partner's requests: %w", err)
	}
	if !ok {
		return problem.New(problem.TooMany, "problem.partner_wait", "n", rule.N).Until(s.Now(), wait)
	}
	return nil
}
