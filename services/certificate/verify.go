package certificate

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// View is what anybody may learn about a certificate by its number: enough to
// compare with the paper in hand, and never what the paper says.
type View struct {
	Number    string // canonical: see ShowNumber
	Kind      Kind
	Initials  string // of the holder: "А. Б. В."
	BirthYear string // of the holder; "" when the register gave none
	IssuedAt  time.Time
	RevokedAt time.Time // zero: it is valid
}

// Valid reports that the certificate stands.
func (v View) Valid() bool { return v.RevokedAt.IsZero() }

// Verify answers for a number as anybody typed it, without login.
func (s *Service) Verify(ctx context.Context, c caller.Caller, typed string) (View, error) {
	number, ok := ParseNumber(typed)
	if !ok {
		s.Trail.Later(analytics.Of(c, name, "verify_number", "refused"))
		return View{}, errNumber
	}
	var row db.Certificate
	var in intent
	err := s.look(ctx, c, func() (err error) {
		row, in, err = s.issued(ctx, number)
		return err
	})
	if err != nil {
		s.Trail.Later(analytics.Of(c, name, "verify_number", "refused"))
		return View{}, err
	}
	if err := s.looked(ctx, c, row); err != nil {
		return View{}, err
	}
	s.Trail.Later(analytics.Of(c, name, "verify_number", "done"))
	return viewOf(row, in.Record), nil
}

// Signed is what a certificate certifies, all of it from the signed bytes: of what
// is kept here only the revocation is added. Whoever holds the code may read it.
type Signed struct {
	Number    string // canonical: see ShowNumber
	Record    Record
	IssuedAt  time.Time
	RevokedAt time.Time // zero: it is valid
}

// Valid reports that the certificate stands.
func (v Signed) Valid() bool { return v.RevokedAt.IsZero() }

// View is what the number alone would show.
func (v Signed) View() View {
	return View{
		Number: v.Number, Kind: v.Record.Kind, Initials: v.Record.Initials(), BirthYear: v.Record.BirthYear(),
		IssuedAt: v.IssuedAt, RevokedAt: v.RevokedAt,
	}
}

// VerifyQR checks the signature of a QR code's text and then that the
// certificate still stands. What comes back is to be compared with the paper, word
// by word: the paper may have been changed. A code of a number of ours that is not the
// one that was issued is forged, whoever signed it. Codes that we did not issue count as
// guesses.
func (s *Service) VerifyQR(ctx context.Context, c caller.Caller, payload string) (Signed, error) {
	var signed Signed
	var row db.Certificate
	var in intent
	err := s.look(ctx, c, func() error {
		message, err := unpack(payload)
		if err != nil {
			return err
		}
		if signed, err = s.readMessage(ctx, message); err != nil {
			return err
		}
		if row, in, err = s.issued(ctx, signed.Number); err != nil {
			return err
		}
		return s.compare(row, message)
	})
	if err != nil {
		s.Trail.Later(analytics.Of(c, name, "verify_qr", "refused"))
		return Signed{}, err
	}
	if signed.Record, err = signed.Record.whole(in.Record); err != nil {
		return Signed{}, fmt.Errorf("complete a signed record: %w", err)
	}
	if err := s.looked(ctx, c, row); err != nil {
		return Signed{}, err
	}
	signed.RevokedAt = row.RevokedAt.Time
	s.Trail.Later(analytics.Of(c, name, "verify_qr", "done"))
	return signed, nil
}

// looked has the holder of a certificate see that somebody verified it: who, nobody knows.
func (s *Service) looked(ctx context.Context, c caller.Caller, row db.Certificate) error {
	seen := audit.Entry{
		At: c.Now, Actor: "verifier", Action: "certificate.verify", Object: row.ID, Subject: row.CitizenID, Purpose: "verification",
	}
	err := s.Trail.Look(ctx, seen)
	if err == nil && row.HolderID != "" {
		err = s.Trail.Look(ctx, ofHolder(row, "verify", seen))
	}
	if err != nil {
		return fmt.Errorf("note a verification: %w", err)
	}
	return nil
}

func forged() *problem.Error { return problem.New(problem.Invalid, "problem.certificate_forged") }

// compare refuses a message that is not the certificate's own. One is stored of each
// and printed as it is, and base45 has one text of it: no other bytes were ever issued.
func (s *Service) compare(row db.Certificate, message []byte) error {
	stored, err := s.openSigned(row)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored, message) {
		return forged().Because(errors.New("another message is stored under its number"))
	}
	return nil
}

// openSigned gives the signed message of an issued certificate.
func (s *Service) openSigned(row db.Certificate) ([]byte, error) {
	message, err := s.Sealer.Open(row.SignedSealed, signedContext(row.ID))
	if err != nil {
		return nil, fmt.Errorf("open the signed record: %w", err)
	}
	return message, nil
}

// readMessage gives what a signed message says.
func (s *Service) readMessage(ctx context.Context, message []byte) (Signed, error) {
	claims, err := s.Signer.Verify(ctx, message)
	if errors.Is(err, sign.ErrForged) {
		return Signed{}, forged().Because(err)
	}
	if err != nil {
		return Signed{}, fmt.Errorf("check a signature: %w", err)
	}
	if claims.Issuer != s.Issuer {
		return Signed{}, forged()
	}
	signed, err := signedOf(claims)
	if err != nil {
		return Signed{}, forged().Because(err)
	}
	return signed, nil
}

// signedOf gives what claims of ours certify.
func signedOf(claims sign.Claims) (Signed, error) {
	signed := Signed{Number: string(claims.ID), IssuedAt: time.Unix(claims.IssuedAt, 0).UTC()}
	if err := cbor.NewDecoder(bytes.NewReader(claims.Content)).Decode(&signed.Record); err != nil {
		return Signed{}, fmt.Errorf("read a signed record: %w", err)
	}
	if !signed.Record.Kind.Known() {
		return Signed{}, fmt.Errorf("the kind %q is not known", signed.Record.Kind)
	}
	return signed, nil
}

// issued finds an issued or revoked certificate by its canonical number.
func (s *Service) issued(ctx context.Context, number string) (db.Certificate, intent, error) {
	row, err := db.New(s.DB.Reader()).ByNumber(ctx, number)
	if errors.Is(err, sql.ErrNoRows) || err == nil && State(row.State) != Issued && State(row.State) != Revoked {
		return db.Certificate{}, intent{}, errAbsent
	}
	if err != nil {
		return db.Certificate{}, intent{}, fmt.Errorf("find a certificate: %w", err)
	}
	in, err := s.openIntent(row)
	return row, in, err
}

func viewOf(row db.Certificate, record Record) View {
	return View{
		Number: row.Number, Kind: Kind(row.Kind), Initials: record.Initials(), BirthYear: record.BirthYear(),
		IssuedAt: row.IssuedAt.Time, RevokedAt: row.RevokedAt.Time,
	}
}
