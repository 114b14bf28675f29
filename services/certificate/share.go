package certificate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// The rules of share codes (decision 42).
const (
	// ShareDigits is the length of a code. It opens nothing without the certificate's number.
	ShareDigits = 6
	shareCodes  = 1_000_000
	// ShareLasts is how long a code can be used: who made it at home travels, and waits in line.
	ShareLasts = 24 * time.Hour
	// ShareTries is how many wrong codes end one, ShareOpenings how often it opens.
	ShareTries    = 5
	ShareOpenings = 10
	// shareAgain is how much of its time a code has left that is given a second time.
	shareAgain = time.Hour
)

// Share is a code by which an office sees a certificate whole.
type Share struct {
	Number    string // the certificate's, canonical
	Code      string
	ExpiresAt time.Time
	Opened    int // how often it was opened
}

var errNoShare = problem.New(problem.NotFound, "problem.certificate_share_none")

// Share gives the holder c.Subject a code to tell to an office. Whoever asks again on the same
// phone gets the same one while it has an hour left and opens; otherwise a new one takes its place.
// Problems: certificate_identify, certificate_number, certificate_not_found (also another's),
// certificate_revoked, certificate_shares_many.
func (s *Service) Share(ctx context.Context, c caller.Caller, typed string) (Share, error) {
	row, _, err := s.own(ctx, c, "share", typed)
	if err != nil {
		return Share{}, err
	}
	if err := s.within(ctx, c, sharesByPerson.Refusal, s.bound("share", c.Subject, sharesByPerson)); err != nil {
		return Share{}, err
	}
	var made db.CertificateShare
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := s.holdOwn(ctx, tx, c, row); err != nil {
			return err
		}
		live, err := db.New(tx).LiveShare(ctx, db.LiveShareParams{CertificateID: row.ID, ExpiresAt: dbtime.From(c.Now.Add(shareAgain))})
		if err == nil && live.PhoneIndex == s.sharePhone(c.Phone) && opens(live) {
			made = live
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look for a code: %w", err)
		}
		made, err = s.newShare(ctx, tx, c, row)
		return err
	})
	if err != nil {
		return Share{}, fmt.Errorf("share a certificate: %w", err)
	}
	return s.shareOf(row.Number, made)
}

// Shared gives the code of the holder's certificate that is still good. Problems: as those of
// Share, and certificate_share_none.
func (s *Service) Shared(ctx context.Context, c caller.Caller, typed string) (Share, error) {
	row, _, err := s.own(ctx, c, "share", typed)
	if err != nil {
		return Share{}, err
	}
	live, err := db.New(s.DB.Reader()).LiveShare(ctx, db.LiveShareParams{CertificateID: row.ID, ExpiresAt: dbtime.From(c.Now)})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !opens(live) {
		return Share{}, errNoShare
	}
	if err != nil {
		return Share{}, fmt.Errorf("look for a code: %w", err)
	}
	return s.shareOf(row.Number, live)
}

// holdOwn has a certificate stay the caller's, and its codes as they are, until tx ends.
func (s *Service) holdOwn(ctx context.Context, tx *store.Tx, c caller.Caller, row db.Certificate) error {
	held, err := s.Identity.HoldProof(ctx, tx, c)
	if err != nil {
		return err
	}
	if !held {
		return errUnproven
	}
	if err := db.New(tx).HoldCertificate(ctx, row.ID); err != nil {
		return fmt.Errorf("hold a certificate: %w", err)
	}
	return nil
}

// opens says that a code is neither guessed at nor opened too often.
func opens(share db.CertificateShare) bool {
	return share.Tries < ShareTries && share.Opened < ShareOpenings
}

// newShare keeps a code in the place of all others of the certificate.
func (s *Service) newShare(ctx context.Context, tx *store.Tx, c caller.Caller, row db.Certificate) (db.CertificateShare, error) {
	if err := s.voidShares(ctx, tx, c, row); err != nil {
		return db.CertificateShare{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return db.CertificateShare{}, fmt.Errorf("make the id of a code: %w", err)
	}
	made := db.CertificateShare{
		ID: id.String(), CertificateID: row.ID, PhoneIndex: s.sharePhone(c.Phone), MadeAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(ShareLasts)),
	}
	err = db.New(tx).AddShare(ctx, db.AddShareParams{
		ID: made.ID, CertificateID: made.CertificateID, PhoneIndex: made.PhoneIndex, MadeAt: made.MadeAt, ExpiresAt: made.ExpiresAt,
	})
	if err != nil {
		return made, fmt.Errorf("keep a code: %w", err)
	}
	return made, s.leave(ctx, tx, row, "share", trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: c.Subject, Action: "certificate.share", Object: made.ID, Subject: row.CitizenID, Purpose: "the holder lets an office see it",
			Decided: []*audit.Group{shareGroup(made)}, Was: []*audit.Group{audit.None(groupShare)},
		},
		Event: analytics.Of(c, name, "share", "done"),
	})
}

// Unshare ends the codes of the holder's certificate; one without any stays as it is.
// Problems: as those of Share.
func (s *Service) Unshare(ctx context.Context, c caller.Caller, typed string) error {
	row, _, err := s.own(ctx, c, "share", typed)
	if err != nil {
		return err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := s.holdOwn(ctx, tx, c, row); err != nil {
			return err
		}
		return s.voidShares(ctx, tx, c, row)
	})
	if err != nil {
		return fmt.Errorf("end the codes of a certificate: %w", err)
	}
	return nil
}

// voidShares ends the codes of a certificate for its holder.
func (s *Service) voidShares(ctx context.Context, tx *store.Tx, c caller.Caller, row db.Certificate) error {
	ended, err := db.New(tx).VoidShares(ctx, db.VoidSharesParams{CertificateID: row.ID, VoidAt: dbtime.From(c.Now)})
	if err != nil {
		return fmt.Errorf("end codes: %w", err)
	}
	for _, share := range ended {
		if err := s.noteEnd(ctx, tx, row, share, c.Subject, "the holder ends a code"); err != nil {
			return err
		}
	}
	return nil
}

// noteEnd records that a code of a certificate, as it is now, was ended.
func (s *Service) noteEnd(ctx context.Context, tx *store.Tx, row db.Certificate, share db.CertificateShare, actor, why string) error {
	before := share
	before.VoidAt = dbtime.Time{}
	return s.leave(ctx, tx, row, "share_end", trail.Step{Audit: audit.Entry{
		At: share.VoidAt.Time, Actor: actor, Action: "certificate.share_end", Object: share.ID, Subject: row.CitizenID, Purpose: why,
		Decided: []*audit.Group{shareGroup(share)}, Was: []*audit.Group{shareGroup(before)},
	}})
}

// CutPhone ends the codes that a phone made whose number got another holder.
func (s *Service) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	q := db.New(tx)
	ended, err := q.VoidSharesOfPhone(ctx, db.VoidSharesOfPhoneParams{PhoneIndex: s.sharePhone(phone), VoidAt: dbtime.From(now)})
	if err != nil {
		return fmt.Errorf("end the codes that a phone made: %w", err)
	}
	for _, share := range ended {
		row, err := q.ByID(ctx, share.CertificateID)
		if err != nil {
			return fmt.Errorf("find the certificate of a code: %w", err)
		}
		if err := s.noteEnd(ctx, tx, row, share, "system", "the phone is cut off from the citizen"); err != nil {
			return err
		}
	}
	return nil
}

// CutPerson is CutPhone: a phone that is cut off from one of several people ends the codes of
// the others too, who make new ones.
func (s *Service) CutPerson(ctx context.Context, tx *store.Tx, _, phone, _ string, now time.Time) error {
	return s.CutPhone(ctx, tx, phone, now)
}

// ForgetShares deletes the codes that were over a month ago.
func (s *Service) ForgetShares(ctx context.Context) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).ForgetShares(ctx, dbtime.From(s.Now().AddDate(0, 0, -30)))
	})
	if err != nil {
		return fmt.Errorf("forget codes that are over: %w", err)
	}
	return nil
}

func (s *Service) sharePhone(phone string) string {
	return s.Sealer.Index("certificate.share.phone", phone)
}

func (s *Service) shareOf(number string, row db.CertificateShare) (Share, error) {
	code, err := s.shareCode(row)
	return Share{Number: number, Code: code, ExpiresAt: row.ExpiresAt.Time, Opened: int(row.Opened)}, err
}

// shareCode is a row's code: it follows from the row and a key, so that whoever reads the database
// knows none, and whoever writes to it makes none that is good for another certificate, or longer.
func (s *Service) shareCode(row db.CertificateShare) (string, error) {
	mac := s.Sealer.Index("certificate.share.code", fmt.Sprintf("%s|%s|%d", row.ID, row.CertificateID, row.ExpiresAt.UnixMicro()))
	drawn, err := strconv.ParseUint(mac[:15], 16, 64) // 2^60 by 10^6: no code is likelier by more than 10^-12
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", ShareDigits, drawn%shareCodes), nil
}
