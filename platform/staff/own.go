package staff

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// FreshFor is how long after a sign-in an officer may change what they sign in with: whoever
// finds a terminal that was left open signs in first, and cannot.
const FreshFor = 10 * time.Minute

// What an account's holder may have to change: owes in its row.
const (
	owesPassword = "password"
	owesSecret   = "totp"
	owesBoth     = owesPassword + " " + owesSecret
)

// The refusals of what an officer does with their own account.
var (
	// ErrOwes is returned for every operation until the holder has changed what others saw.
	ErrOwes = problem.New(problem.Forbidden, "problem.staff_owes")
	// ErrStale says that the sign-in was too long ago for this.
	ErrStale = problem.New(problem.Forbidden, "problem.staff_stale")
	// ErrCurrent says that the password is not the account's, or the code not the new secret's.
	ErrCurrent = problem.New(problem.Forbidden, "problem.staff_current")
	// ErrEnrolment says that a new secret was not given to this account, or too long ago.
	ErrEnrolment = problem.New(problem.Conflict, "problem.staff_secret_old")
	// ErrInvented is told to who has the right password and code of an account that was made
	// for trials.
	ErrInvented = problem.New(problem.Forbidden, "problem.staff_invented")
)

// holder is who is signed in, whether or not they have still to change something.
type holder struct {
	Officer
	row     db.StaffAccount
	session db.StaffSession
}

// holds gives who is signed in and proves anew by the password that it is the holder.
// Wrong ones are counted with those of signing in.
func (s *Service) holds(ctx context.Context, shown Session, password string) (holder, error) {
	h, err := s.authenticate(ctx, shown)
	if err != nil {
		return h, err
	}
	if !s.Now().Before(h.session.BegunAt.Add(FreshFor)) {
		return h, ErrStale
	}
	at := s.attemptOf(shown.Origin, h.Login)
	if err := s.admit(ctx, at); err != nil {
		return h, err
	}
	right, err := s.passwords.Fits(ctx, password, h.row.PasswordHash)
	if err == nil && !right {
		err = ErrCurrent
	}
	return h, err
}

// ChangePassword gives whoever is signed in another password. The account's sessions end;
// the token is that of the one that goes on where this was asked for.
func (s *Service) ChangePassword(ctx context.Context, shown Session, current, next string) (token string, err error) {
	h, err := s.authenticate(ctx, shown)
	if err != nil {
		return "", err
	}
	// Before the current one is looked at: what is refused here is no try to guess it.
	if err := checkPassword(next, h.Login, h.Person); err != nil {
		return "", err
	}
	if current == next {
		return "", ErrCommon // it was seen, which is why it is changed
	}
	if h, err = s.holds(ctx, shown, current); err != nil {
		return "", err
	}
	return s.renew(ctx, shown, h, revision{action: "account.password", next: func(row *db.StaffAccount) (err error) {
		row.Owes = strings.TrimSpace(strings.Replace(row.Owes, owesPassword, "", 1))
		row.PasswordHash, err = s.passwords.Hash(ctx, next)
		return err
	}})
}

// Enrolment is a secret of codes that an account does not have yet.
type Enrolment struct {
	Secret string // as an app takes it when it is typed
	URI    string // as an app scans it
	Sealed string // what ConfirmSecret takes: nobody else can read or make it
}

// enrolled is what is sealed in an Enrolment. It is good for the account as it was then.
type enrolled struct {
	Secret, Account string
	Until           time.Time
}

const enrolmentContext = "staff.enrolment"

// NewSecret draws another secret of codes for whoever is signed in. It counts from
// ConfirmSecret on.
func (s *Service) NewSecret(ctx context.Context, shown Session, password string) (Enrolment, error) {
	h, err := s.holds(ctx, shown, password)
	if err != nil {
		return Enrolment{}, err
	}
	secret, err := newTOTP(s.Random)
	if err != nil {
		return Enrolment{}, err
	}
	text, err := json.Marshal(enrolled{Secret: secret, Account: h.row.Mac, Until: s.Now().Add(FreshFor)}) // #nosec G117 -- it is sealed next
	if err != nil {
		return Enrolment{}, fmt.Errorf("write an enrolment: %w", err)
	}
	sealed, err := s.Sealer.Seal(text, enrolmentContext)
	return Enrolment{Secret: secret, URI: totpURI(h.Login, secret), Sealed: base64.RawURLEncoding.EncodeToString(sealed)}, err
}

// ConfirmSecret makes an Enrolment's secret that of the account whose holder shows a code of
// it. The account's sessions end; the token is that of the one that goes on here.
func (s *Service) ConfirmSecret(ctx context.Context, shown Session, sealed, code string) (token string, err error) {
	h, err := s.authenticate(ctx, shown)
	if err != nil {
		return "", err
	}
	given, err := s.enrolment(sealed, h.row)
	if err != nil {
		return "", err
	}
	if err := s.admit(ctx, s.attemptOf(shown.Origin, h.Login)); err != nil {
		return "", err
	}
	used, err := step(given.Secret, strings.TrimSpace(code), s.Now())
	if err != nil {
		return "", err
	}
	if used == 0 {
		return "", ErrCurrent
	}
	return s.renew(ctx, shown, h, revision{action: "account.secret", code: &used, next: func(row *db.StaffAccount) (err error) {
		row.Owes = strings.TrimSpace(strings.Replace(row.Owes, owesSecret, "", 1))
		row.TotpSealed, err = s.Sealer.Seal([]byte(given.Secret), totpContext+row.ID)
		return err
	}})
}

// enrolment opens what NewSecret sealed for an account.
func (s *Service) enrolment(sealed string, row db.StaffAccount) (given enrolled, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return given, ErrEnrolment
	}
	text, err := s.Sealer.Open(raw, enrolmentContext)
	if err != nil || json.Unmarshal(text, &given) != nil || given.Account != row.Mac || !s.Now().Before(given.Until) {
		return given, ErrEnrolment
	}
	return given, nil
}

// renew changes the account of whoever is signed in, and begins a session in place of the
// one that it ends with the others: it lasts no longer than that would have.
func (s *Service) renew(ctx context.Context, shown Session, h holder, r revision) (token string, err error) {
	at := s.attemptOf(shown.Origin, h.Login)
	r.of = h.row.Mac
	r.then = func(ctx context.Context, tx *store.Tx, row db.StaffAccount) error {
		if token, err = s.newToken(row.ID); err != nil {
			return err
		}
		q := db.New(tx)
		return errors.Join(s.forgive(ctx, q, at), q.AddSession(ctx, db.AddSessionParams{
			TokenMac: s.sessionMAC(Session{Token: token, Origin: shown.Origin}), AccountID: row.ID,
			BegunAt: h.session.BegunAt, UsedAt: dbtime.From(at.now), ExpiresAt: h.session.ExpiresAt,
		}))
	}
	if err := s.change(ctx, Act{Actor: h.Actor()}, h.Login, r); err != nil {
		return "", err
	}
	return token, nil
}
