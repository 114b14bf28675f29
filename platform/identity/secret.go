package identity

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The rules of secrets (decision 30).
const (
	// SecretLeast and SecretMost are how many digits a secret has.
	SecretLeast = 6
	SecretMost  = 12
	// SecretTries is how many wrong guesses in a row a secret bears; then it is locked for
	// SecretLocks, for whoever knows it too.
	SecretTries = 5
	SecretLocks = 24 * time.Hour
)

// secretPurpose is that of what is hashed: without the master key a stolen table is of no use.
const secretPurpose = "identity.secret"

// The problems of secrets.
var (
	errSecretFormat = problem.New(problem.Invalid, "problem.identity_secret_format", "n", SecretLeast, "most", SecretMost)
	// errSecretCurrent says that the secret which stands was not given: no guess.
	errSecretCurrent = problem.New(problem.Invalid, "problem.identity_secret_current")
	errSecretEasy    = problem.New(problem.Invalid, "problem.identity_secret_easy")
	errSecretTaken   = problem.New(problem.Invalid, "problem.identity_secret_taken")
	errSecretBrief   = problem.New(problem.Forbidden, "problem.identity_secret_brief")
	errSecretNone    = problem.New(problem.Forbidden, "problem.identity_secret_none")
	errSecretLocked  = problem.New(problem.TooMany, "problem.identity_secret_locked", "n", SecretTries)
)

// errSecretWrong is the problem of a wrong guess after which n more may follow.
func errSecretWrong(n int) *problem.Error {
	return problem.New(problem.Forbidden, "problem.identity_secret_wrong", "n", n)
}

// secretTries is the rule of guesses at secrets, which TrySecrets applies.
var secretTries = limit.Rule{
	Name: "identity.secret_tries", What: "wrong secrets in a row, on all channels together", Who: "a person's phone",
	Rate: limit.Rate{N: SecretTries, Per: SecretLocks}, Refusal: errSecretLocked.Key, In: limit.InSQL,
}

// parseSecret reads a secret: digits of any script, with what people put between them.
func parseSecret(text string) (string, bool) {
	secret := asciiDigits(text)
	return secret, len(secret) >= SecretLeast && len(secret) <= SecretMost
}

// easySecret reports one that is tried first: a digit or a few over and over, a run up or
// down, or a part of a number that others know of the person.
func easySecret(secret string, known ...string) bool {
	for period := 1; period <= 3; period++ {
		if strings.Repeat(secret[:period], len(secret)/period+1)[:len(secret)] == secret {
			return true
		}
	}
	up, down := true, true
	for i := 1; i < len(secret); i++ {
		up = up && (secret[i]-secret[i-1]+10)%10 == 1
		down = down && (secret[i-1]-secret[i]+10)%10 == 1
	}
	if up || down {
		return true
	}
	for _, number := range known {
		if strings.Contains(number, secret) || strings.Contains(secret, number) {
			return true
		}
	}
	return false
}

// SetSecret sets the secret that proves who is proved strongly on the caller's phone there from
// now on, or changes it: then current is the one that stands, and a wrong one is a guess.
// Problems: of the kinds Weak and Unproven; errSecretCurrent, errSecretFormat, errSecretEasy, errSecretTaken, and those of a guess.
func (s *Service) SetSecret(ctx context.Context, c caller.Caller, current, secret string) error {
	citizen, err := s.strongly(ctx, c)
	if err == nil {
		err = s.lasting(ctx, c, citizen)
	}
	if err != nil {
		return err
	}
	has, err := s.hasSecret(ctx, c, citizen.ID)
	switch {
	case err != nil || !has:
	case current == "":
		err = errSecretCurrent
	default:
		_, err = s.guessSecret(ctx, c, citizen.ID, current, nothing)
	}
	if err != nil {
		return err
	}
	return s.setSecret(ctx, c, citizen, secret)
}

// knowsSecret takes the secret of a citizen who is proved strongly on the caller's phone, and gives
// what names it to setFrom.
func (s *Service) knowsSecret(ctx context.Context, c caller.Caller, citizen Citizen, typed string) (known string, err error) {
	row, err := s.guessSecret(ctx, c, citizen.ID, typed, nothing)
	return stamp(row.SetAt), err
}

// stamp names a secret by when it was set.
func stamp(at dbtime.Time) string { return strconv.FormatInt(at.UnixMicro(), 10) }

// errSecretOld is where a secret stands that was not typed yet.
var errSecretOld = errors.New("the secret that stands is asked for first")

// setFrom is SetSecret of a citizen in two steps: known names the secret that was typed, if one stands.
func (s *Service) setFrom(ctx context.Context, c caller.Caller, citizen Citizen, known, secret string) error {
	if err := s.lasting(ctx, c, citizen); err != nil {
		return err
	}
	at, err := db.New(s.DB.Reader()).SecretSetAt(ctx, db.SecretSetAtParams{CitizenID: citizen.ID, PhoneIndex: s.phoneIndex(c.Phone)})
	switch {
	case err == nil && stamp(at) != known:
		return errSecretOld
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("look for a secret: %w", err)
	}
	return s.setSecret(ctx, c, citizen, secret)
}

// RemoveSecret removes the secret of who is proved strongly on the caller's phone from it.
// current is the one that stands. Problems: of the kinds Weak and Unproven, and those of a guess.
func (s *Service) RemoveSecret(ctx context.Context, c caller.Caller, current string) error {
	citizen, err := s.strongly(ctx, c)
	if err != nil {
		return err
	}
	return s.removeSecret(ctx, c, citizen, current)
}

// removeSecret is RemoveSecret of a citizen.
func (s *Service) removeSecret(ctx context.Context, c caller.Caller, citizen Citizen, current string) error {
	_, err := s.guessSecret(ctx, c, citizen.ID, current, func(tx *store.Tx, row db.IdentitySecret) error {
		err := db.New(tx).DropSecret(ctx, db.DropSecretParams{CitizenID: row.CitizenID, PhoneIndex: row.PhoneIndex})
		if err != nil {
			return err
		}
		return s.leaveSecret(ctx, tx, c, citizen, "identity.secret_removed_sms", s.entry(c, "secret", "removed", row.PhoneIndex, row.CitizenID))
	})
	return err
}

// strongly gives who is proved strongly on the caller's phone.
func (s *Service) strongly(ctx context.Context, c caller.Caller) (Citizen, error) {
	citizen, proved, err := s.Proof(ctx, c)
	switch {
	case err != nil:
		return Citizen{}, err
	case !proved:
		return Citizen{}, errUnproven
	case citizen.Level < caller.LevelStrong:
		return Citizen{}, assurance.ErrWeak
	}
	return citizen, nil
}

// lasting refuses what outlasts the proof of a citizen who is proved strongly: by a national
// sign-in on a phone that the state does not know as the person's nothing is set that proves
// them there again and again.
func (s *Service) lasting(ctx context.Context, c caller.Caller, citizen Citizen) error {
	rows, err := s.goodProofs(ctx, db.New(s.DB.Reader()), c)
	if err != nil {
		return err
	}
	for _, row := range rows {
		lasts := row.ExpiresAt.Sub(row.ProvedAt.Time)
		if row.CitizenID == citizen.ID && caller.Level(row.Level) >= caller.LevelStrong && lasts > NationalProves {
			return nil
		}
	}
	return errSecretBrief
}

// hasSecret reports that a person set a secret on the caller's phone; citizen "": that
// somebody did.
func (s *Service) hasSecret(ctx context.Context, c caller.Caller, citizen string) (bool, error) {
	n, err := db.New(s.DB.Reader()).CountSecrets(ctx, db.CountSecretsParams{PhoneIndex: s.phoneIndex(c.Phone), CitizenID: citizen})
	if err != nil {
		return false, fmt.Errorf("look for a secret: %w", err)
	}
	return n > 0, nil
}

// setSecret keeps what was typed as the secret of a citizen who is proved strongly.
func (s *Service) setSecret(ctx context.Context, c caller.Caller, citizen Citizen, typed string) error {
	secret, ok := parseSecret(typed)
	if !ok {
		return errSecretFormat
	}
	if err := s.fitSecret(ctx, c, citizen.ID, secret); err != nil {
		return err
	}
	row := db.IdentitySecret{CitizenID: citizen.ID, PhoneIndex: s.phoneIndex(c.Phone), SetAt: dbtime.From(c.Now)}
	var err error
	if row.CalledSealed, err = s.Sealer.Seal([]byte(citizen.Called), secretName); err != nil {
		return err
	}
	if row.Hash, err = s.slow.Hash(ctx, s.peppered(row, secret)); err != nil {
		return err
	}
	c.Subject, c.Level = citizen.ID, caller.LevelStrong
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if held, err := s.HoldProof(ctx, tx, c); err != nil || !held { // an undo came first
			return cmp.Or[error](err, errUnproven)
		}
		err := db.New(tx).SetSecret(ctx, db.SetSecretParams{
			CitizenID: row.CitizenID, PhoneIndex: row.PhoneIndex, Hash: row.Hash, CalledSealed: row.CalledSealed, SetAt: row.SetAt,
		})
		if err != nil {
			return err
		}
		return s.leaveSecret(ctx, tx, c, citizen, "identity.secret_set_sms", s.entry(c, "secret", "set", row.PhoneIndex, citizen.ID, secretOf(row)))
	})
	if err != nil {
		return fmt.Errorf("set a secret: %w", err)
	}
	return nil
}

// fitSecret refuses a secret that is tried first, and one that another person has on the same
// phone: it could not say who it is. That tells of the other's secret what a guess tells, and
// is one.
func (s *Service) fitSecret(ctx context.Context, c caller.Caller, citizen, secret string) error {
	pin, err := s.PIN(ctx, citizen)
	if err != nil {
		return err
	}
	bound, err := db.New(s.DB.Reader()).Binding(ctx, db.BindingParams{CitizenID: citizen, PhoneIndex: s.phoneIndex(c.Phone)})
	if errors.Is(err, sql.ErrNoRows) {
		return errUnproven
	}
	if err != nil {
		return fmt.Errorf("look how a phone is bound: %w", err)
	}
	card := s.documentMAC(s.Sealer.Index(pinPurpose, pin), idSeries+secret)
	if easySecret(secret, pin, "0"+strings.TrimPrefix(c.Phone, "+996")) || card == bound.DocumentMac {
		return errSecretEasy
	}
	return s.notAnothers(ctx, c, citizen, secret)
}

// peppered is what is hashed of a secret: without the master key a stolen hash is of no use,
// and a hash that is copied to another row fits nothing.
func (s *Service) peppered(row db.IdentitySecret, secret string) string {
	return s.Sealer.Index(secretPurpose, row.CitizenID+":"+row.PhoneIndex+":"+secret)
}

// secretName is the context of the sealed name of a secret's person.
const secretName = calledContext + "secret"
