package identity

import (
	"context"
	"crypto/hmac"
	"fmt"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// errEnrolVoid refuses a code of a clerk's: wrong, used, expired, given for another phone,
// or guessed at too often. Which of these helps only those who guess.
var (
	errEnrolVoid   = problem.New(problem.Forbidden, "problem.identity_enrol_void")
	errEnrolFormat = problem.New(problem.Invalid, "problem.identity_enrol_format", "n", EnrolDigits)
)

// enrolTries is the rule of guesses at enrolment codes, which TryEnrolments applies.
var enrolTries = limit.Rule{
	Name: "identity.enrol_tries", What: "guesses at a code that a clerk gave", Who: "a code", Rate: limit.Rate{N: EnrolTries, Per: EnrolLasts},
	Instead: "403 `problem.identity_enrol_void`: the code is over", In: limit.InSQL,
}

// ProveByCode takes the code that a clerk gave for the caller's phone: it binds the phone to
// the person, strongly, for ProofLasts. It is good once. A guess is counted before it is
// compared, against every code that is open for the phone. Problems: errEnrolVoid, errEnrolFormat, and
// errBlocked for whoever has the right code of a person whose phones accuse each other.
func (s *Service) ProveByCode(ctx context.Context, c caller.Caller, typed string) (Citizen, error) {
	if err := ownPhone(c); err != nil {
		return Citizen{}, err
	}
	code, ok := parseEnrolment(typed)
	if !ok {
		return Citizen{}, errEnrolFormat
	}
	var citizen Citizen
	var refused error
	err := s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		citizen, refused, err = s.proveByCode(ctx, tx, c, code)
		return err
	})
	if err != nil {
		return Citizen{}, fmt.Errorf("take an enrolment code: %w", err)
	}
	return citizen, refused
}

// parseEnrolment reads a clerk's code, alone or among a few words.
func parseEnrolment(text string) (string, bool) { return theOne(dialog.Numbers(text, EnrolDigits)) }

// proveByCode gives the refusal apart from the error: the guess stays counted.
func (s *Service) proveByCode(ctx context.Context, tx *store.Tx, c caller.Caller, code string) (citizen Citizen, refused, err error) {
	q, now, index := db.New(tx), dbtime.From(c.Now), s.phoneIndex(c.Phone)
	if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
		return Citizen{}, nil, err
	}
	open, err := q.TryEnrolments(ctx, db.TryEnrolmentsParams{PhoneIndex: index, Tries: EnrolTries, ExpiresAt: now})
	if err != nil {
		return Citizen{}, nil, err
	}
	generation, err := q.Generation(ctx, index)
	if err != nil {
		return Citizen{}, nil, err
	}
	for _, row := range open {
		if hmac.Equal([]byte(row.CodeMac), []byte(s.enrolmentMAC(row, generation, code))) {
			return s.useEnrolment(ctx, tx, c, row)
		}
	}
	if len(open) == 0 { // nothing that could be guessed
		return Citizen{}, errEnrolVoid, nil
	}
	return Citizen{}, errEnrolVoid, s.Trail.Leave(ctx, tx, s.checked(c, "enrol", "refused", open[0].ID, index))
}

// useEnrolment proves the person whom a code is of.
func (s *Service) useEnrolment(ctx context.Context, tx *store.Tx, c caller.Caller, row db.IdentityEnrolment) (citizen Citizen, refused, err error) {
	q := db.New(tx)
	named, err := s.Sealer.Open(row.CalledSealed, calledContext+row.ID)
	if err != nil {
		return Citizen{}, nil, fmt.Errorf("open the name of an enrolment: %w", err)
	}
	person, err := s.genuine(ctx, q, row.CitizenID)
	if err != nil {
		return Citizen{}, nil, err
	}
	if err = q.LockCitizen(ctx, person.ID); err != nil { // phones proved at once tell each other
		return Citizen{}, nil, err
	}
	_, until, err := binding(ctx, q, person.PinIndex, row.PhoneIndex, c.Now)
	if err != nil {
		return Citizen{}, nil, err
	}
	if !until.IsZero() { // the code stays: it may be used when the dispute is over
		return Citizen{}, errBlocked.Until(c.Now, until.Sub(c.Now)), nil
	}
	if _, err = q.UseEnrolment(ctx, db.UseEnrolmentParams{UsedAt: dbtime.From(c.Now), ID: row.ID}); err != nil {
		return Citizen{}, nil, err
	}
	// Who had a clerk see them forgot the secret, or it is in other hands.
	if err = q.DropSecret(ctx, db.DropSecretParams{CitizenID: person.ID, PhoneIndex: row.PhoneIndex}); err != nil {
		return Citizen{}, nil, err
	}
	proof, err := s.bindProof(ctx, tx, c, person, row.DocumentMac, proofAs{string(named), caller.LevelStrong, ProofLasts})
	if err != nil {
		return Citizen{}, nil, err
	}
	if err = s.Trail.Leave(ctx, tx, s.checked(c, "enrol", "done", proof, person.ID)); err != nil {
		return Citizen{}, nil, err
	}
	return Citizen{ID: person.ID, Called: string(named), Level: caller.LevelStrong}, nil, s.provedStrongly(ctx, tx, c, person.ID)
}

// enrolmentOpen reports that a code that a clerk gave waits for the caller's phone.
func (s *Service) enrolmentOpen(ctx context.Context, c caller.Caller) (bool, error) {
	n, err := db.New(s.DB.Reader()).OpenEnrolments(ctx, db.OpenEnrolmentsParams{
		PhoneIndex: s.phoneIndex(c.Phone), Tries: EnrolTries, ExpiresAt: dbtime.From(c.Now),
	})
	if err != nil {
		return false, fmt.Errorf("look for an enrolment code: %w", err)
	}
	return n > 0, nil
}
