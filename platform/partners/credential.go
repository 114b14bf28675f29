package partners

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Kind is the door that a credential opens: none opens another.
type Kind string

// The kinds.
const (
	OSMP  Kind = "osmp"  // the password of the OSMP protocol
	OAuth Kind = "oauth" // the client secret that gets access tokens (RFC 6749)
	TLS   Kind = "tls"   // the certificate that gets access tokens (RFC 8705)
)

// Rotation.
const (
	// Overlap is how long a former secret is good beside the next one, where nothing
	// else is said, and OverlapAtMost how long at most.
	Overlap       = 24 * time.Hour
	OverlapAtMost = 30 * 24 * time.Hour
	// validAtMost is how many secrets of a kind are good at once.
	validAtMost = 2
)

// Secret is a credential's secret, which is kept nowhere.
type Secret struct {
	Credential string
	Kind       Kind
	Text       string
}

// State is how a credential stands.
type State string

// The states.
const (
	Valid    State = "valid"
	Disabled State = "disabled"
	Expired  State = "expired"
	Revoked  State = "revoked"
)

// Credential is a secret of a partner, without the secret, or a certificate.
type Credential struct {
	ID       string
	Kind     Kind
	State    State
	MadeAt   time.Time
	NotAfter time.Time // zero: for good
	UsedOn   string    // the last day, YYYY-MM-DD in Bishkek; empty: never
	// Thumbprint is that of a certificate (Thumbprint); empty of a secret.
	Thumbprint string
}

// Rotate makes a partner's next secret of a kind, or its first. A former one is good for
// overlap more, so that the partner can change over at leisure.
func (s *Service) Rotate(ctx context.Context, officer, id string, kind Kind, overlap time.Duration) (secret Secret, err error) {
	err = s.next(ctx, officer, id, kind, overlap, func(tx *store.Tx, _ []db.PartnerCredential, n int64) (err error) {
		secret, err = s.add(ctx, tx, officer, id, n, kind, s.Now())
		return err
	})
	return secret, err
}

// next has make the next credential of a partner, of the number n, beside those in rows, and
// gives a former one of the kind its end.
func (s *Service) next(
	ctx context.Context, officer, id string, kind Kind, overlap time.Duration, make func(tx *store.Tx, rows []db.PartnerCredential, n int64) error,
) error {
	if overlap < 0 || overlap > OverlapAtMost {
		return fmt.Errorf("a former secret is good for 0 to %d hours more", int(OverlapAtMost.Hours()))
	}
	now := s.Now()
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if _, err := lock(ctx, tx, id); err != nil {
			return err
		}
		rows, err := db.New(tx).Credentials(ctx, id)
		if err != nil {
			return err
		}
		if err := s.outdate(ctx, tx, officer, rows, kind, now.Add(overlap), now); err != nil {
			return err
		}
		last := int64(0)
		for _, row := range rows {
			last = max(last, row.N)
		}
		return make(tx, rows, last+1)
	})
	if err != nil {
		return fmt.Errorf("rotate a credential of %s: %w", id, err)
	}
	return nil
}

// outdate gives the secret of a kind that is good its end. Where two are, the older one's
// is near already, and somebody may be using each.
func (s *Service) outdate(ctx context.Context, tx *store.Tx, officer string, rows []db.PartnerCredential, kind Kind, end, now time.Time) error {
	var valid []db.PartnerCredential
	for _, row := range rows {
		if Kind(row.Kind) == kind && stateOf(row, now) == Valid {
			valid = append(valid, row)
		}
	}
	if len(valid) >= validAtMost {
		return fmt.Errorf("two %s credentials are good already: %s and %s; revoke the one that is not used, then rotate", kind, valid[0].ID, valid[1].ID)
	}
	for _, row := range valid {
		if row.NotAfterAt.IsZero() || end.Before(row.NotAfterAt.Time) {
			was := row
			row.NotAfterAt = dbtime.From(end)
			if err := s.set(ctx, tx, officer, "credential_outdated", was, row, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// add draws a secret and keeps its hash.
func (s *Service) add(ctx context.Context, tx *store.Tx, officer, id string, n int64, kind Kind, now time.Time) (Secret, error) {
	if kind != OSMP && kind != OAuth {
		return Secret{}, fmt.Errorf("%q is no kind of secret: %s or %s", kind, OSMP, OAuth)
	}
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return Secret{}, fmt.Errorf("draw a partner's secret: %w", err)
	}
	secret := Secret{Credential: credentialID(id, n), Kind: kind, Text: base64.RawURLEncoding.EncodeToString(raw)}
	return secret, s.keep(ctx, tx, officer, db.PartnerCredential{
		ID: secret.Credential, PartnerID: id, N: n, Kind: string(kind), SecretHash: s.hash(kind, id, secret.Text), CreatedAt: dbtime.From(now),
	}, now)
}

// credentialID names a credential of a partner.
func credentialID(partner string, n int64) string { return partner + "." + strconv.FormatInt(n, 10) }

// keep keeps a new credential.
func (s *Service) keep(ctx context.Context, tx *store.Tx, officer string, row db.PartnerCredential, now time.Time) error {
	if err := db.New(tx).AddCredential(ctx, db.AddCredentialParams{
		ID: row.ID, PartnerID: row.PartnerID, N: row.N, Kind: row.Kind, SecretHash: row.SecretHash, Thumbprint: row.Thumbprint,
		CreatedAt: row.CreatedAt, NotAfterAt: row.NotAfterAt,
	}); err != nil {
		return err
	}
	return s.leaveCredential(ctx, tx, officer, "credential_made", nil, row, now)
}

// DisableCredential refuses a secret, and the tokens that it got, from the next request on.
func (s *Service) DisableCredential(ctx context.Context, officer, id string) error {
	return s.changeCredential(ctx, officer, id, "credential_disabled", func(row *db.PartnerCredential, now time.Time) error {
		row.DisabledAt = dbtime.From(now)
		return nil
	})
}

// EnableCredential takes DisableCredential back.
func (s *Service) EnableCredential(ctx context.Context, officer, id string) error {
	return s.changeCredential(ctx, officer, id, "credential_enabled", func(row *db.PartnerCredential, now time.Time) error {
		row.DisabledAt = dbtime.Time{}
		if state := stateOf(*row, now); state != Valid {
			return fmt.Errorf("it is %s: make another by `eshik partner rotate`", state)
		}
		return nil
	})
}

// Revoke ends a secret, and the tokens that it got, for good.
func (s *Service) Revoke(ctx context.Context, officer, id string) error {
	return s.changeCredential(ctx, officer, id, "credential_revoked", func(row *db.PartnerCredential, now time.Time) error {
		if row.RevokedAt.IsZero() {
			row.RevokedAt = dbtime.From(now)
		}
		return nil
	})
}

// changeCredential changes a credential's row.
func (s *Service) changeCredential(ctx context.Context, officer, id, what string, do func(*db.PartnerCredential, time.Time) error) error {
	now := s.Now()
	partner, _, _ := strings.Cut(id, ".")
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if _, err := lock(ctx, tx, partner); err != nil {
			return err
		}
		both, err := db.New(tx).Credential(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrAbsent
		}
		row := both.PartnerCredential
		if err == nil {
			err = do(&row, now)
		}
		if err != nil {
			return err
		}
		return s.set(ctx, tx, officer, what, both.PartnerCredential, row, now)
	})
	if err != nil {
		return fmt.Errorf("change the credential %s: %w", id, err)
	}
	return nil
}

// set keeps how a credential stands, which was otherwise.
func (s *Service) set(ctx context.Context, tx *store.Tx, officer, what string, was, row db.PartnerCredential, now time.Time) error {
	if err := db.New(tx).SetCredential(ctx, db.SetCredentialParams{
		ID: row.ID, NotAfterAt: row.NotAfterAt, DisabledAt: row.DisabledAt, RevokedAt: row.RevokedAt,
	}); err != nil {
		return err
	}
	return s.leaveCredential(ctx, tx, officer, what, &was, row, now)
}

// Credentials lists a partner's, in the order in which they were made.
func (s *Service) Credentials(ctx context.Context, id string) ([]Credential, error) {
	q, now := db.New(s.DB.Reader()), s.Now()
	if _, err := q.Partner(ctx, id); err != nil {
		return nil, fmt.Errorf("find the partner %s: %w", id, absent(err))
	}
	rows, err := q.Credentials(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list the credentials of %s: %w", id, err)
	}
	list := make([]Credential, len(rows))
	for i, row := range rows {
		list[i] = Credential{
			ID: row.ID, Kind: Kind(row.Kind), State: stateOf(row, now), MadeAt: row.CreatedAt.Time, NotAfter: row.NotAfterAt.Time, UsedOn: row.UsedOn,
			Thumbprint: row.Thumbprint,
		}
	}
	return list, nil
}

// stateOf is how a credential stands by itself, whatever its partner.
func stateOf(row db.PartnerCredential, now time.Time) State {
	switch {
	case !row.RevokedAt.IsZero():
		return Revoked
	case !row.NotAfterAt.IsZero() && !now.Before(row.NotAfterAt.Time):
		return Expired
	case !row.DisabledAt.IsZero():
		return Disabled
	}
	return Valid
}

// lock has changes of one partner wait for each other.
func lock(ctx context.Context, tx *store.Tx, id string) (db.Partner, error) {
	row, err := db.New(tx).LockPartner(ctx, id)
	return row, absent(err)
}

func absent(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrAbsent
	}
	return err
}

// nextDay is when the day in Bishkek ends.
func nextDay(now time.Time) time.Time { return clock.Midnight(now).AddDate(0, 0, 1) }
