package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// The rules of enrolment codes (decision 30).
const (
	// EnrolDigits is the length of a code: another than that of any code by SMS, so that
	// neither is typed for the other.
	EnrolDigits = 8
	// EnrolLasts is how long a code can be used: a person who came from a village gets home.
	EnrolLasts = 72 * time.Hour
	// EnrolTries is how many wrong guesses a code bears.
	EnrolTries = 5
)

// What a clerk is told who cannot enrol a phone.
var (
	ErrNoDocument    = errDocumentFormat
	ErrForeignNumber = problem.New(problem.Invalid, "problem.staff_phone")
	ErrNotTheirs     = problem.New(problem.NotFound, "problem.identity_enrol_no_match")
	ErrDocumentVoid  = problem.New(problem.Conflict, "problem.identity_enrol_document")
	ErrPersonBarred  = problem.New(problem.Conflict, "problem.identity_enrol_barred")
	ErrRegisters     = problem.New(problem.Unavailable, "problem.identity_enrol_registers")
	ErrDisputed      = problem.New(problem.Conflict, "problem.identity_enrol_disputed")
)

// Enrolment is the code that a clerk gives to a person. It is kept nowhere.
type Enrolment struct {
	Code      string
	ExpiresAt time.Time
}

// Enrol makes a code for the person whose document, with the personal number and its own
// number, the clerk saw, and for the phone (E.164) that is to be theirs; an earlier code for
// both is void. The registers are asked as at any proof. Nothing is proved yet: the code is,
// typed on that phone. act is the clerk's. Errors: those above, and ErrNoPersonalNumber.
func (s *Service) Enrol(ctx context.Context, act staff.Act, phone, pin, document string) (Enrolment, error) {
	if ownPhone(caller.Caller{Phone: phone}) != nil {
		return Enrolment{}, ErrForeignNumber
	}
	number, ok := parsePIN(pin)
	if !ok {
		return Enrolment{}, ErrNoPersonalNumber
	}
	paper, ok := parseDocument(document)
	if !ok {
		return Enrolment{}, ErrNoDocument
	}
	id, err := s.newID()
	if err != nil {
		return Enrolment{}, err
	}
	now := s.Now()
	person, err := s.Registry.CheckPerson(ctx, registry.Call{UserID: "KG" + number, Issue: id}, number, paper)
	if err == nil {
		err = unfit(person, now)
	}
	if err != nil {
		return Enrolment{}, toClerk(err)
	}
	made := Enrolment{ExpiresAt: now.Add(EnrolLasts)}
	if made.Code, err = s.newCode(EnrolDigits); err != nil {
		return Enrolment{}, err
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		return s.enrol(ctx, tx, act.Actor, number, paper, called(person), made.Code, db.AddEnrolmentParams{
			ID: id, PhoneIndex: s.phoneIndex(phone), MadeAt: dbtime.From(now), ExpiresAt: dbtime.From(made.ExpiresAt),
		})
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("make an enrolment code: %w", err)
	}
	return made, nil
}

// toClerk is what a clerk is told of what the registers said.
func toClerk(err error) error {
	why := problem.From(err)
	switch {
	case errors.Is(err, errBarred):
		return ErrPersonBarred
	case errors.Is(err, errDocumentVoid), errors.Is(err, errDocumentOld):
		return ErrDocumentVoid
	case why.Code == problem.Invalid || why.Code == problem.NotFound:
		return ErrNotTheirs
	}
	return fmt.Errorf("%w (%w)", ErrRegisters, err)
}

// enrol keeps a code of the person with a number, document and name.
func (s *Service) enrol(ctx context.Context, tx *store.Tx, actor, pin, document, named, code string, row db.AddEnrolmentParams) error {
	q, pinIndex := db.New(tx), s.Sealer.Index(pinPurpose, pin)
	if err := s.lockPhone(ctx, q, row.PhoneIndex, row.MadeAt.Time); err != nil {
		return err
	}
	person, err := s.knownAs(ctx, q, pin, pinIndex, row.MadeAt)
	if err != nil {
		return err
	}
	if err := q.LockCitizen(ctx, person.ID); err != nil { // a dispute under way comes first
		return err
	}
	_, until, err := binding(ctx, q, pinIndex, row.PhoneIndex, row.MadeAt.Time)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		return ErrDisputed
	}
	row.CitizenID, row.DocumentMac = person.ID, s.documentMAC(pinIndex, document)
	generation, err := q.Generation(ctx, row.PhoneIndex)
	if err != nil {
		return err
	}
	row.CodeMac = s.enrolmentMAC(db.IdentityEnrolment{
		ID: row.ID, CitizenID: row.CitizenID, PhoneIndex: row.PhoneIndex, DocumentMac: row.DocumentMac, ExpiresAt: row.ExpiresAt,
	}, generation, code)
	if row.CalledSealed, err = s.Sealer.Seal([]byte(named), calledContext+row.ID); err != nil {
		return err
	}
	if err := q.VoidEnrolments(ctx, db.VoidEnrolmentsParams{VoidAt: row.MadeAt, CitizenID: person.ID, PhoneIndex: row.PhoneIndex}); err != nil {
		return err
	}
	if err := q.AddEnrolment(ctx, row); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: row.MadeAt.Time, Actor: actor, Action: "identity.enrol.made", Object: row.ID, Subject: person.ID,
		Purpose: "a clerk saw the person and the document", Decided: []*audit.Group{citizenOf(person)}, Was: []*audit.Group{},
	}})
}

// knownAs gives the citizen of a personal number, who is made where there was none.
func (s *Service) knownAs(ctx context.Context, q *db.Queries, pin, pinIndex string, now dbtime.Time) (db.IdentityCitizen, error) {
	sealed, err := s.Sealer.Seal([]byte(pin), pinContext)
	if err != nil {
		return db.IdentityCitizen{}, err
	}
	fresh, err := s.newID()
	if err != nil {
		return db.IdentityCitizen{}, err
	}
	return s.citizen(ctx, q, db.InsertCitizenParams{ID: fresh, PinIndex: pinIndex, PinSealed: sealed, CreatedAt: now})
}

// disenrol ends what a phone may prove a person by without the numbers of their card. It is
// called wherever the two are cut apart.
func (s *Service) disenrol(ctx context.Context, q *db.Queries, citizen, index string, now time.Time) error {
	err := q.VoidEnrolments(ctx, db.VoidEnrolmentsParams{VoidAt: dbtime.From(now), CitizenID: citizen, PhoneIndex: index})
	if err == nil {
		err = q.DropSecret(ctx, db.DropSecretParams{CitizenID: citizen, PhoneIndex: index})
	}
	if err != nil {
		return fmt.Errorf("end a phone's enrolment: %w", err)
	}
	return nil
}
