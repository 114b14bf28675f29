package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The rules of proofs. They hold off those who guess documents, from one phone
// or for one person from many. A phone that was proved for the person before is
// counted apart: nobody keeps it out by guessing elsewhere.
const (
	// AttemptLasts is how long a personal number waits for its document.
	AttemptLasts = 10 * time.Minute
	// GuessesByPhone and GuessesByPIN bound refused attempts of phones that are
	// strange to the person, in any span of GuessesPer.
	GuessesByPhone = 5
	GuessesByPIN   = 10
	GuessesPer     = time.Hour
	// GuessesFirst guesses of a phone in a day are taken whatever others guessed about
	// the person: somebody who is new here knows their document, and whoever guesses
	// needs another SIM for each three of 10^7 documents.
	GuessesFirst = 3
	// GuessesByPair bounds those of a phone that was proved for the person before.
	// Beyond it only the document that it was proved with is taken, and no other
	// costs a question; GuessesByPairDay bounds what is compared in a day, for
	// whoever found the phone.
	GuessesByPair    = 5
	GuessesByPairDay = 50
)

// The states in which an attempt ends.
const (
	attemptProved  = "proved"
	attemptRefused = "refused"
	attemptLimited = "limited"
)

// The problems of proofs.
var (
	errPINFormat      = problem.New(problem.Invalid, "problem.identity_pin_format")
	errDocumentFormat = problem.New(problem.Invalid, "problem.identity_document_format")
	errAttemptOver    = problem.New(problem.Conflict, "problem.identity_attempt_over")
	errNoMatch        = problem.New(problem.Forbidden, "problem.identity_no_match")
	errDocumentOld    = problem.New(problem.Forbidden, "problem.identity_document_expired")
	errDocumentVoid   = problem.New(problem.Forbidden, "problem.identity_document_void")
	errBarred         = problem.New(problem.Forbidden, "problem.identity_person_barred")
	errGuessesMany    = problem.New(problem.TooMany, "problem.identity_guesses_many")
)

// Prove checks a personal number and a document against the register of persons
// and binds the caller's phone to the citizen for ProofLasts, weakly: StepUp makes it more. The phone must
// have used a code within VerifiedLasts.
func (s *Service) Prove(ctx context.Context, c caller.Caller, pin, document string) (Citizen, error) {
	if _, ok := parseDocument(document); !ok {
		return Citizen{}, errDocumentFormat
	}
	id, err := s.openAttempt(ctx, c, pin)
	if err != nil {
		return Citizen{}, err
	}
	return s.finishAttempt(ctx, c, id, document)
}

// openAttempt keeps a personal number, sealed, until its document comes, and
// gives the id by which a conversation remembers it.
func (s *Service) openAttempt(ctx context.Context, c caller.Caller, pin string) (string, error) {
	if err := ownPhone(c); err != nil {
		return "", err
	}
	pin, ok := parsePIN(pin)
	if !ok {
		return "", errPINFormat
	}
	verified, err := s.verified(ctx, c)
	if err != nil {
		return "", err
	}
	if !verified {
		return "", errCodeNeeded
	}
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	sealed, err := s.Sealer.Seal([]byte(pin), attemptContext+id)
	if err != nil {
		return "", err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := q.WipeAttempts(ctx, db.WipeAttemptsParams{PinSealed: []byte{}, ExpiresAt: dbtime.From(c.Now)}); err != nil {
			return err
		}
		return q.OpenAttempt(ctx, db.OpenAttemptParams{
			ID: id, PhoneIndex: s.phoneIndex(c.Phone), PinIndex: s.Sealer.Index(pinPurpose, pin), PinSealed: sealed,
			OpenedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(AttemptLasts)),
		})
	})
	if err != nil {
		return "", fmt.Errorf("open an attempt: %w", err)
	}
	return id, nil
}

// finishAttempt asks the register. The question is counted and committed as a
// guess before it is asked, so that guesses made at once, or cut off by a crash,
// are no more than the rules allow. Those of one phone wait for each other: a right
// one that is under way is no wrong guess yet, and keeps no other out.
func (s *Service) finishAttempt(ctx context.Context, c caller.Caller, id, document string) (Citizen, error) {
	document, ok := parseDocument(document)
	if !ok {
		return Citizen{}, errDocumentFormat
	}
	held, err := s.proving.Lock(ctx, s.phoneIndex(c.Phone))
	if err != nil {
		return Citizen{}, fmt.Errorf("wait for an earlier proof: %w", err)
	}
	defer held.Unlock()
	attempt, wait, err := s.askAttempt(ctx, c, id, document)
	if err != nil {
		return Citizen{}, err
	}
	if wait > 0 {
		return Citizen{}, errors.Join(errGuessesMany.Until(c.Now, wait), s.endAttempt(ctx, c, id, attemptLimited))
	}
	pin, err := s.Sealer.Open(attempt.PinSealed, attemptContext+id)
	if err != nil {
		return Citizen{}, fmt.Errorf("open an attempt's number: %w", err)
	}
	call := registry.Call{UserID: "KG" + string(pin), Issue: id}
	person, err := s.Registry.CheckPerson(ctx, call, string(pin), document)
	switch code := problem.From(err).Code; {
	case err == nil:
		err = unfit(person, c.Now)
	case code == problem.Invalid || code == problem.NotFound:
		err = errNoMatch
	default:
		return Citizen{}, errors.Join(fmt.Errorf("check a person: %w", err), s.reopenAttempt(ctx, id))
	}
	if err != nil {
		return Citizen{}, errors.Join(err, s.endAttempt(ctx, c, id, attemptRefused))
	}
	citizen, err := s.proved(ctx, c, attempt, pin, document, called(person))
	if errors.Is(err, errBlocked) {
		err = errors.Join(err, s.endAttempt(ctx, c, id, attemptLimited))
	}
	return citizen, err
}

// unfit says why somebody whom the registers know proves nothing; nil: they do. Who reads
// it had the right document in hand.
func unfit(p registry.Person, now time.Time) error {
	switch {
	case p.Barred:
		return errBarred
	case p.Void:
		return errDocumentVoid
	case p.Expires.Format(time.DateOnly) < now.In(clock.Bishkek).Format(time.DateOnly):
		return errDocumentOld
	}
	return nil
}

// askAttempt takes an attempt up as a guess, and gives how long to wait when it
// is one guess too many.
func (s *Service) askAttempt(ctx context.Context, c caller.Caller, id, document string) (db.IdentityAttempt, time.Duration, error) {
	var attempt db.IdentityAttempt
	var wait time.Duration
	known := false
	err := s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		q, index := db.New(tx), s.phoneIndex(c.Phone)
		if err = s.lockPhone(ctx, q, index, c.Now); err != nil {
			return err
		}
		attempt, err = q.AskAttempt(ctx, db.AskAttemptParams{AskedAt: dbtime.From(c.Now), ID: id, PhoneIndex: index})
		if err != nil {
			return err
		}
		bound, _, err := binding(ctx, q, attempt.PinIndex, index, c.Now)
		if err != nil {
			return err
		}
		if known, wait = bound != nil, 0; known {
			wait, err = s.waitKnown(ctx, q, c, attempt, bound.DocumentMac == s.documentMAC(attempt.PinIndex, document))
		} else {
			wait, err = s.waitByPhone(ctx, q, c, index)
		}
		if err == nil && wait > 0 {
			_, err = q.EndAttempt(ctx, db.EndAttemptParams{State: attemptLimited, PinSealed: []byte{}, ID: id})
		}
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return attempt, 0, errAttemptOver
	}
	if err != nil {
		return attempt, 0, fmt.Errorf("take up an attempt: %w", err)
	}
	if wait > 0 || known {
		return attempt, wait, nil
	}
	wait, err = s.waitByPerson(ctx, attempt, c.Now)
	return attempt, wait, err
}

// waitByPerson counts the guesses about a person of phones that are strange to them,
// the one under way included.
func (s *Service) waitByPerson(ctx context.Context, attempt db.IdentityAttempt, now time.Time) (time.Duration, error) {
	// They come from phones that do not wait for each other: each is counted after
	// all that committed before it.
	q := db.New(s.DB.Reader())
	all, err := q.GuessesByPIN(ctx, db.GuessesByPINParams{PinIndex: attempt.PinIndex, AskedAt: dbtime.From(now.Add(-GuessesPer))})
	if err != nil {
		return 0, fmt.Errorf("count the guesses about a person: %w", err)
	}
	wait := excess(all, GuessesByPIN, GuessesPer, now)
	if wait == 0 {
		return 0, nil
	}
	own, err := q.GuessesByPhone(ctx, db.GuessesByPhoneParams{PhoneIndex: attempt.PhoneIndex, AskedAt: dbtime.From(now.Add(-24 * time.Hour))})
	if err != nil {
		return 0, fmt.Errorf("count a phone's guesses: %w", err)
	}
	if len(own) <= GuessesFirst {
		return 0, nil
	}
	return wait, nil
}

// waitByPhone counts the guesses of a phone about whom it was never proved for,
// the one under way included.
func (s *Service) waitByPhone(ctx context.Context, q *db.Queries, c caller.Caller, index string) (time.Duration, error) {
	guesses, err := q.GuessesByPhone(ctx, db.GuessesByPhoneParams{PhoneIndex: index, AskedAt: dbtime.From(c.Now.Add(-GuessesPer))})
	if err != nil {
		return 0, fmt.Errorf("count a phone's guesses: %w", err)
	}
	return excess(guesses, GuessesByPhone, GuessesPer, c.Now), nil
}

// waitKnown counts the guesses of a phone about a person it was proved for. The
// right document is not refused, as long as nobody tries all there are.
func (s *Service) waitKnown(ctx context.Context, q *db.Queries, c caller.Caller, attempt db.IdentityAttempt, right bool) (time.Duration, error) {
	if err := q.MarkKnown(ctx, attempt.ID); err != nil {
		return 0, fmt.Errorf("mark an attempt: %w", err)
	}
	day := 24 * time.Hour
	guesses, err := q.GuessesByPair(ctx, db.GuessesByPairParams{
		PhoneIndex: attempt.PhoneIndex, PinIndex: attempt.PinIndex, AskedAt: dbtime.From(c.Now.Add(-day)),
	})
	if err != nil {
		return 0, fmt.Errorf("count a phone's guesses about its person: %w", err)
	}
	var compared, asked []dbtime.Time
	for _, g := range guesses {
		compared = append(compared, g.AskedAt)
		if g.State != attemptLimited && g.AskedAt.After(c.Now.Add(-GuessesPer)) {
			asked = append(asked, g.AskedAt)
		}
	}
	if wait := excess(compared, GuessesByPairDay, day, c.Now); wait > 0 || right {
		return wait, nil
	}
	return excess(asked, GuessesByPair, GuessesPer, c.Now), nil
}

// excess gives how long until fewer than atMost guesses count; zero when no more
// than atMost do.
func excess(guesses []dbtime.Time, atMost int, per time.Duration, now time.Time) time.Duration {
	if len(guesses) <= atMost {
		return 0
	}
	return max(guesses[len(guesses)-1-atMost].Add(per).Sub(now), time.Second)
}

// proved binds the phone to the citizen, who is called so.
func (s *Service) proved(ctx context.Context, c caller.Caller, attempt db.IdentityAttempt, pin []byte, document, called string) (Citizen, error) {
	citizen := Citizen{Called: called, Level: caller.LevelWeak}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, now := db.New(tx), dbtime.From(c.Now)
		if err := s.lockPhone(ctx, q, attempt.PhoneIndex, c.Now); err != nil {
			return err
		}
		n, err := q.EndAttempt(ctx, db.EndAttemptParams{State: attemptProved, PinSealed: []byte{}, ID: attempt.ID})
		if err != nil {
			return err
		}
		if n == 0 { // it lapsed while the register thought
			return errAttemptOver
		}
		row, err := s.knownAs(ctx, q, string(pin), attempt.PinIndex, now)
		if err != nil {
			return err
		}
		citizen.ID = row.ID
		if err = q.LockCitizen(ctx, citizen.ID); err != nil { // phones proved at once tell each other
			return err
		}
		_, err = s.bindProof(ctx, tx, c, row, s.documentMAC(attempt.PinIndex, document), proofAs{called, caller.LevelWeak, ProofLasts})
		return err
	})
	if err != nil {
		return Citizen{}, fmt.Errorf("bind a phone to a citizen: %w", err)
	}
	return citizen, nil
}

// bindProof binds the caller's phone in tx to a person whose document has the MAC, and who
// is called so, and gives the proof's id. The record of a proof says of a weak one: what made
// it more has its own.
func (s *Service) bindProof(
	ctx context.Context, tx *store.Tx, c caller.Caller, person db.IdentityCitizen, documentMAC string, as proofAs,
) (string, error) {
	bound, was, err := s.bind(ctx, tx, c, person, documentMAC, as.called)
	if err != nil {
		return "", err
	}
	return s.noteProof(ctx, tx, c, person, bound, was, as)
}

// proofAs is how somebody is proved: as whom they are called, how surely, and for how long at most.
type proofAs struct {
	called string
	level  caller.Level
	lasts  time.Duration
}

// noteProof notes in tx that a person is proved on the caller's phone, which is bound to them;
// was is how it was bound before.
func (s *Service) noteProof(
	ctx context.Context, tx *store.Tx, c caller.Caller, person db.IdentityCitizen, bound db.IdentityBinding, was *audit.Group, as proofAs,
) (string, error) {
	proof, err := s.newID()
	if err != nil {
		return "", err
	}
	name, err := s.Sealer.Seal([]byte(as.called), calledContext+proof)
	if err != nil {
		return "", err
	}
	err = db.New(tx).InsertProof(ctx, db.InsertProofParams{
		ID: proof, PhoneIndex: s.phoneIndex(c.Phone), CitizenID: person.ID,
		ProvedAt: dbtime.From(c.Now), ExpiresAt: dbtime.From(c.Now.Add(as.lasts)), CalledSealed: name, Level: int64(as.level),
		Session: sessionOf(c),
	})
	if err != nil {
		return "", err
	}
	step := s.checked(c, "proof", "done", proof, person.ID, citizenOf(person), bindingOf(bound), proofOf(proof, sessionOf(c), as.lasts))
	step.Audit.Was = []*audit.Group{was}
	return proof, s.Trail.Leave(ctx, tx, step)
}

// citizen gives the citizen of a personal number: the fresh one, where there was none.
func (s *Service) citizen(ctx context.Context, q *db.Queries, fresh db.InsertCitizenParams) (db.IdentityCitizen, error) {
	if _, err := q.InsertCitizen(ctx, fresh); err != nil {
		return db.IdentityCitizen{}, err
	}
	row, err := q.CitizenByPIN(ctx, fresh.PinIndex)
	if err != nil {
		return db.IdentityCitizen{}, err
	}
	_, err = numberOf(s.Sealer, row)
	return row, err
}

// genuine gives a citizen by their id; the number in the row must be that of its index.
func (s *Service) genuine(ctx context.Context, q *db.Queries, id string) (db.IdentityCitizen, error) {
	row, err := q.Citizen(ctx, id)
	if err == nil {
		_, err = numberOf(s.Sealer, row)
	}
	return row, err
}

// endAttempt ends an attempt that proved nothing.
func (s *Service) endAttempt(ctx context.Context, c caller.Caller, id, state string) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if _, err := db.New(tx).EndAttempt(ctx, db.EndAttemptParams{State: state, PinSealed: []byte{}, ID: id}); err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, s.checked(c, "proof", "refused", id, s.phoneIndex(c.Phone)))
	})
	if err != nil {
		return fmt.Errorf("end an attempt: %w", err)
	}
	return nil
}

// reopenAttempt takes a question back that the register did not answer.
func (s *Service) reopenAttempt(ctx context.Context, id string) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).ReopenAttempt(ctx, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("reopen an attempt: %w", err)
	}
	return nil
}
