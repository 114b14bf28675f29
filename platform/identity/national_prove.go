package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/identity/esi"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// nationalArgs are the job that asks about a device's sign-in.
type nationalArgs struct {
	ID string `json:"id"`
}

// Kind implements job.Args.
func (nationalArgs) Kind() string { return "identity.national" }

// askNational asks once whether the user of a device has signed in, and has it asked again
// where not, as slowly as the provider wants (RFC 8628, section 3.5).
func (s *Service) askNational(ctx context.Context, args nationalArgs, _ job.Attempt) error {
	row, c, err := s.claimNational(ctx, args.ID)
	switch {
	case errors.Is(err, errNationalBusy):
		return job.Again(nationalLeft)
	case errors.Is(err, errNationalOver):
		return nil
	case err != nil:
		return err
	}
	secret, err := s.nationalSecret(row)
	if err != nil {
		return err
	}
	person, err := s.national.Ask(ctx, secret.Device, esi.Begun{At: row.BegunAt.Time})
	pause := time.Duration(row.Pause) * time.Second
	switch {
	case errors.Is(err, esi.ErrPending):
		return s.askLater(ctx, row, pause, pause)
	case errors.Is(err, esi.ErrSlowDown):
		return s.askLater(ctx, row, pause+esi.SlowDown, pause+esi.SlowDown)
	case errors.Is(err, esi.ErrDown):
		s.Log.WarnContext(ctx, "the national sign-in does not say whether somebody signed in", "error", err)
		return s.askLater(ctx, row, pause, 2*pause)
	}
	// What ended it the phone was told by SMS: nobody waits for this answer.
	if err := s.finishNational(ctx, c, row, person, err); problem.From(err).Code == problem.Internal {
		return err
	}
	return nil
}

// askLater gives a sign-in back, with the pause that the provider wants, until the next question.
func (s *Service) askLater(ctx context.Context, row db.IdentityNationalSignIn, pause, next time.Duration) error {
	if err := s.reopenNational(ctx, row, pause); err != nil {
		return err
	}
	return job.Again(next)
}

func (s *Service) reopenNational(ctx context.Context, row db.IdentityNationalSignIn, pause time.Duration) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).ReopenNational(ctx, db.ReopenNationalParams{Pause: int64(pause / time.Second), ID: row.ID})
		return err
	})
	if err != nil {
		return fmt.Errorf("give a national sign-in back: %w", err)
	}
	return nil
}

// errNationalBusy is a sign-in about which somebody else is asking.
var errNationalBusy = errors.New("the national sign-in is being asked about")

// claimNational takes a sign-in up for one question, and gives the phone it is of. The
// errors are errNationalBusy and errNationalOver.
func (s *Service) claimNational(ctx context.Context, id string) (row db.IdentityNationalSignIn, c caller.Caller, err error) {
	now := s.Now()
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		row, err = db.New(tx).ClaimNational(ctx, db.ClaimNationalParams{ID: id, Now: dbtime.From(now), LeftAt: dbtime.From(now.Add(-nationalLeft))})
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		row, err := db.New(s.DB.Reader()).National(ctx, id)
		if err == nil && row.State == nationalAsking && now.Before(row.ExpiresAt.Time) {
			return row, c, errNationalBusy
		}
		return row, c, errNationalOver
	}
	if err != nil {
		return row, c, fmt.Errorf("take a national sign-in up: %w", err)
	}
	phone, err := s.Sealer.Open(row.PhoneSealed, nationalPhoneContext)
	if err != nil {
		return row, c, fmt.Errorf("open the phone of a national sign-in: %w", err)
	}
	return row, caller.Caller{
		Phone: string(phone), Channel: caller.Channel(row.Channel), Locale: locales.Locale(row.Locale), Session: row.BegunIn, Now: now,
	}, nil
}

// NationalBack gives the last digits of the phone that a browser's sign-in would prove
// somebody on, by the state that the browser brought back: whoever signed in sees whose they
// become. It changes nothing. issuer is who sent it back, where that is said (RFC 9207).
// Problems: errNationalOver where there is none under way, errNationalRefused from elsewhere.
func (s *Service) NationalBack(ctx context.Context, state, issuer string, now time.Time) (tail string, err error) {
	if s.national != nil && issuer != "" && issuer != s.national.Issuer() {
		return "", errNationalRefused
	}
	row, err := s.nationalByState(ctx, state, now)
	if err != nil {
		return "", err
	}
	phone, err := s.Sealer.Open(row.PhoneSealed, nationalPhoneContext)
	if err != nil {
		return "", fmt.Errorf("open the phone of a national sign-in: %w", err)
	}
	return caller.Tail(string(phone)), nil
}

func (s *Service) nationalByState(ctx context.Context, state string, now time.Time) (db.IdentityNationalSignIn, error) {
	if s.national == nil || state == "" {
		return db.IdentityNationalSignIn{}, errNationalOver
	}
	row, err := db.New(s.DB.Reader()).NationalByState(ctx, s.Sealer.Index(statePurpose, state))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (row.State != NationalOpen || row.Pause != 0 || !now.Before(row.ExpiresAt.Time)) {
		return row, errNationalOver
	}
	if err != nil {
		return row, fmt.Errorf("look for a national sign-in: %w", err)
	}
	return row, nil
}

// FinishNational takes the code that a browser brought back, once, and proves who signed in
// on the phone that began it. An empty code is a user who said no. Problems: errNationalOver,
// errNationalRefused, errNationalDenied, errNationalOther, errNationalDown, errBlocked.
func (s *Service) FinishNational(ctx context.Context, state, code string) error {
	row, err := s.nationalByState(ctx, state, s.Now())
	if err != nil {
		return err
	}
	row, c, err := s.claimNational(ctx, row.ID)
	if errors.Is(err, errNationalBusy) { // the same page, sent twice at once
		return errNationalOver
	}
	if err != nil {
		return err
	}
	if code == "" {
		return s.finishNational(ctx, c, row, esi.Person{}, esi.ErrDenied)
	}
	secret, err := s.nationalSecret(row)
	if err != nil {
		return err
	}
	person, err := s.national.Exchange(ctx, code, esi.Begun{At: row.BegunAt.Time, Nonce: secret.Nonce, Verifier: secret.Verifier})
	if errors.Is(err, esi.ErrDown) { // perhaps the code is still good
		s.Log.WarnContext(ctx, "the national sign-in does not say who signed in", "error", err)
		return errors.Join(errNationalDown, s.reopenNational(ctx, row, 0))
	}
	return s.finishNational(ctx, c, row, person, err)
}

// finishNational ends a sign-in by what the provider said: the person is proved, or why not.
func (s *Service) finishNational(ctx context.Context, c caller.Caller, row db.IdentityNationalSignIn, person esi.Person, said error) error {
	switch {
	case errors.Is(said, esi.ErrExpired):
		return errors.Join(errNationalOver, s.endNational(ctx, c, row, NationalExpired, nil))
	case errors.Is(said, esi.ErrDenied):
		return errors.Join(errNationalDenied, s.endNational(ctx, c, row, NationalDenied, errNationalDenied))
	case errors.Is(said, esi.ErrRefused):
		s.Log.WarnContext(ctx, "what the national sign-in says is not believed", "error", said)
		return errors.Join(errNationalRefused, s.endNational(ctx, c, row, NationalRefused, errNationalRefused))
	case said != nil:
		return said
	}
	pin, ok := parsePIN(person.PIN)
	if !ok || pin != person.PIN {
		return errors.Join(errNationalRefused, s.endNational(ctx, c, row, NationalRefused, errNationalRefused))
	}
	err := s.proveNational(ctx, c, row, person)
	switch why := problem.From(err); {
	case errors.Is(err, errNationalOver):
		return errors.Join(err, s.endNational(ctx, c, row, NationalCut, nil))
	case err != nil && why.Code != problem.Internal:
		return errors.Join(err, s.endNational(ctx, c, row, NationalRefused, why))
	}
	return err
}

// proveNational proves on the caller's phone who signed in, unless the phone was cut off, or
// forgot who was proved, since it began. Nothing is kept of who is refused.
func (s *Service) proveNational(ctx context.Context, c caller.Caller, row db.IdentityNationalSignIn, person esi.Person) error {
	named := called(registry.Person{Surname: person.FamilyName, Name: person.GivenName})
	pinIndex, tokenMAC := s.Sealer.Index(pinPurpose, person.PIN), s.Sealer.Index(nationalTokenPurpose, person.Token)
	enrols := person.PhoneVerified && theirs(person.Phone, c.Phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, row.PhoneIndex, c.Now); err != nil {
			return err
		}
		if err := s.standsNational(ctx, q, c, row, pinIndex); err != nil {
			return err
		}
		who, err := s.knownAs(ctx, q, person.PIN, pinIndex, dbtime.From(c.Now))
		if err != nil {
			return err
		}
		if err := q.LockCitizen(ctx, who.ID); err != nil { // an undo, and phones proved at once
			return err
		}
		n, err := q.ProveNational(ctx, db.ProveNationalParams{
			CitizenID: who.ID, Enrolled: enrols, TokenMac: sql.NullString{String: tokenMAC, Valid: true}, Wiped: []byte{}, ID: row.ID,
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return errNationalOver
		}
		return s.bindNational(ctx, tx, c, row, who, named, enrols)
	})
	switch {
	case store.IsUnique(err): // the ID token proved before
		return errNationalRefused
	case err != nil:
		return fmt.Errorf("prove who signed in: %w", err)
	}
	return nil
}

// theirs reports that the number that the provider verified is the phone's own.
func theirs(said, phone string) bool {
	e164, ok := caller.ParsePhone(said)
	return ok && e164 == phone
}

// standsNational refuses a sign-in whose phone, which is locked, was cut off or forgot since it
// began, and one by which somebody else signed in than the phone is proved for.
func (s *Service) standsNational(ctx context.Context, q *db.Queries, c caller.Caller, row db.IdentityNationalSignIn, pinIndex string) error {
	fresh, err := q.National(ctx, row.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && fresh.State != nationalAsking {
		return errNationalOver
	}
	if err != nil {
		return err
	}
	generation, err := q.Generation(ctx, row.PhoneIndex)
	if err != nil {
		return err
	}
	if generation != row.Generation {
		return errNationalOver
	}
	c.Now = s.Now()
	proofs, err := s.goodProofs(ctx, q, c)
	if err != nil {
		return err
	}
	if len(proofs) == 0 {
		if row.CitizenID != "" { // what it was to make strong is gone
			return errNationalOver
		}
		return nil
	}
	known, err := q.CitizenByPIN(ctx, pinIndex)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (known.ID != proofs[0].CitizenID || row.CitizenID != "" && row.CitizenID != known.ID) {
		return errNationalOther
	}
	return err
}

// bindNational keeps the proof. The phone keeps what is known of the document that it was
// proved with before.
func (s *Service) bindNational(ctx context.Context, tx *store.Tx, c caller.Caller, row db.IdentityNationalSignIn, who db.IdentityCitizen, named string, enrols bool) error {
	q, documentMAC := db.New(tx), ""
	bound, err := q.Binding(ctx, db.BindingParams{CitizenID: who.ID, PhoneIndex: row.PhoneIndex})
	switch {
	case err == nil:
		documentMAC = bound.DocumentMac
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	as := proofAs{named, caller.LevelStrong, ProofLasts}
	if !enrols {
		as.lasts = NationalProves
	}
	proof, err := s.bindProof(ctx, tx, c, who, documentMAC, as)
	if err != nil {
		return err
	}
	step := s.checked(c, "national", "done", proof, who.ID)
	step.Messages = s.nationalEnd(row, c.Phone, "identity.national_done_sms")
	if err := s.Trail.Leave(ctx, tx, step); err != nil {
		return err
	}
	return s.provedStrongly(ctx, tx, c, who.ID)
}
