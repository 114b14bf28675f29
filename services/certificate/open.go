package certificate

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// Offices are those who may say that they open a certificate. A closed list: what the holder is
// told must not be a stranger's text.
func Offices() []string {
	return []string{"okmotu", "service", "bank", "school", "clinic", "notary", "employer", "court", "post", "other"}
}

// OfficeKey is the key of an office's name.
func OfficeKey(office string) string { return "certificate.office_" + office }

// Opening is what an office says to see a certificate whole.
type Opening struct {
	Number string // as typed
	Code   string // as typed: the holder's
	Office string // one of Offices
}

var (
	errShareCode  = problem.New(problem.Invalid, "problem.certificate_share_code", "n", ShareDigits)
	errOffice     = problem.New(problem.Invalid, "problem.certificate_office")
	errShareWrong = problem.New(problem.NotFound, "problem.certificate_share")
)

// OpenShared gives an office a certificate whole, and tells the holder that it did. Codes that
// are not good count as guesses. Problems: certificate_number, certificate_share_code,
// certificate_office, certificate_share (the code is wrong or over, or there is no such
// certificate), certificate_revoked, certificate_checks_many.
func (s *Service) OpenShared(ctx context.Context, c caller.Caller, in Opening) (Signed, error) {
	signed, _, err := s.openShared(ctx, c, in)
	return signed, err
}

// SharedPDF is OpenShared as the document.
func (s *Service) SharedPDF(ctx context.Context, c caller.Caller, in Opening) ([]byte, error) {
	signed, code, err := s.openShared(ctx, c, in)
	if err != nil {
		return nil, err
	}
	return s.render(ctx, signed, code)
}

// openShared gives a certificate and the text of its QR code.
func (s *Service) openShared(ctx context.Context, c caller.Caller, in Opening) (signed Signed, qr string, err error) {
	number, code, err := in.read()
	if err != nil {
		return Signed{}, "", err
	}
	err = s.look(ctx, c, func() error {
		row, kept, err := s.issued(ctx, number)
		if problem.From(err).Code == problem.NotFound {
			return errShareWrong
		}
		if err != nil {
			return err
		}
		if err := s.useShare(ctx, c, row, code, in.Office); err != nil {
			return err
		}
		signed, qr, err = s.whole(ctx, row, kept)
		return err
	})
	if err != nil {
		s.Trail.Later(analytics.Of(c, name, "open", "refused"))
	}
	return signed, qr, err
}

// read gives the number and the code without what people type between their characters.
func (in Opening) read() (number, code string, err error) {
	number, ok := ParseNumber(in.Number)
	if !ok {
		return "", "", errNumber
	}
	code = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(in.Code)
	if len(code) != ShareDigits || strings.Trim(code, "0123456789") != "" {
		return "", "", errShareCode
	}
	if !slices.Contains(Offices(), in.Office) {
		return "", "", errOffice
	}
	return number, code, nil
}

// useShare counts a try of the certificate's code and, where it is right, an opening, of which
// the holder is told. A wrong one is counted before it is compared: of many at once no more are
// tried than a code bears.
func (s *Service) useShare(ctx context.Context, c caller.Caller, row db.Certificate, code, office string) error {
	var refused *problem.Error
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		refused = errShareWrong
		q, now := db.New(tx), dbtime.From(c.Now)
		// Before the code's row: so does a cut, which ends the codes of a phone.
		phones, err := s.Identity.PhonesToTell(ctx, tx, row.CitizenID, c.Now)
		if err != nil {
			return fmt.Errorf("look who holds a certificate: %w", err)
		}
		share, err := q.LiveShare(ctx, db.LiveShareParams{CertificateID: row.ID, ExpiresAt: now})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find a code: %w", err)
		}
		tried, err := q.TryShare(ctx, db.TryShareParams{ID: share.ID, MostTries: ShareTries, MostOpened: ShareOpenings, Now: now})
		if err != nil || tried == 0 {
			return err
		}
		right, err := s.shareCode(share)
		if err != nil || subtle.ConstantTimeCompare([]byte(right), []byte(code)) == 0 {
			return err // counted
		}
		if refused = nil; State(row.State) == Revoked {
			refused = errRevoked
			return nil
		}
		if err := q.OpenShare(ctx, share.ID); err != nil {
			return fmt.Errorf("count an opening: %w", err)
		}
		return s.noteOpening(ctx, tx, c, opened{row: row, share: share, office: office, phones: phones})
	})
	if err != nil {
		return fmt.Errorf("use a code: %w", err)
	}
	if refused != nil {
		return refused
	}
	return nil
}

// opened is a certificate that an office saw by a code.
type opened struct {
	row    db.Certificate
	share  db.CertificateShare
	office string
	// phones are told of it. The one that made the code is among them: it was proved strongly a day
	// ago at most, and what cuts it off ends the code.
	phones []identity.Reachable
}

// noteOpening records that an office saw a certificate, and tells its holder's phones, of each
// office once for a code.
func (s *Service) noteOpening(ctx context.Context, tx *store.Tx, c caller.Caller, o opened) error {
	told := s.toHolder(o.row, o.phones, notify.Message{Dedup: "certificate.opened:" + o.share.ID + ":" + o.office, ExpiresAt: c.Now.Add(ShareLasts)},
		func(loc locales.Locale) (full, short string) {
			return s.Texts.Message(loc, "certificate.opened_sms", "certificate", ShowNumber(o.row.Number),
				"office", s.Texts.Text(loc, OfficeKey(o.office)), "at", clock.Moment(c.Now))
		})
	return s.leave(ctx, tx, o.row, "open", trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: "verifier", Action: "certificate.open", Object: o.row.ID, Subject: o.row.CitizenID, Purpose: "an office has the holder's code: " + o.office,
		},
		Event: analytics.Of(c, name, "open", "done"), Messages: told,
	})
}

// whole gives what an issued certificate certifies, as it was signed, and the text of its QR code.
func (s *Service) whole(ctx context.Context, row db.Certificate, in intent) (Signed, string, error) {
	message, err := s.openSigned(row)
	if err != nil {
		return Signed{}, "", err
	}
	signed, err := s.readMessage(ctx, message)
	if err != nil {
		return Signed{}, "", fmt.Errorf("read the signed record: %w", err)
	}
	code := s.payload(message)
	if signed.Record, err = signed.Record.whole(in.Record); err != nil {
		return Signed{}, "", fmt.Errorf("complete a signed record: %w", err)
	}
	return signed, code, nil
}
