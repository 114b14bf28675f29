package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// AppealState is how an appeal stands.
type AppealState string

// The states of an appeal.
const (
	AppealReceived  AppealState = "received"
	AppealTaken     AppealState = "taken" // an officer looks into it
	AppealAccepted  AppealState = "accepted"
	AppealRejected  AppealState = "rejected"
	AppealWithdrawn AppealState = "withdrawn"
)

// appealMoves are the states that follow each. From the others nothing follows.
var appealMoves = map[AppealState][]AppealState{
	AppealReceived: {AppealTaken, AppealWithdrawn},
	AppealTaken:    {AppealTaken, AppealAccepted, AppealRejected, AppealWithdrawn}, // another officer may take it over
}

// Open reports that nothing is decided yet.
func (s AppealState) Open() bool { return len(appealMoves[s]) > 0 }

// Appeal is an appeal of a fine as its person, and the officers who decide it, see it.
type Appeal struct {
	Number string
	// Bill is the fine's payment code in the register.
	Bill   string
	Plate  string
	Ground string // a code of Grounds
	Text   string // what the person wrote
	State  AppealState
	// Answer is why it was decided so, in the officer's words; empty: it is not decided.
	Answer     string
	ReceivedAt time.Time
	EndedAt    time.Time // decided or withdrawn; zero: open
	// Files are what the person added, where one appeal is shown: a list has none.
	Files []File
	// DiscountUntil is when the fine's discount ends, as it was known when the appeal came; zero:
	// there was none. An appeal does not stop it.
	DiscountUntil time.Time
}

// Appealed is what is appealed, and why.
type Appealed struct {
	Plate  string // in any spelling
	Bill   string // the fine's payment code in the register
	Ground string // a code of Grounds
	Text   string // what happened, AppealLeast to AppealMost characters; empty where the ground says it all
}

// How many characters the text of an appeal, and of its answer, has.
const (
	AppealLeast = 5
	AppealMost  = 1000
)

// appealsMade is how many appeals a person makes.
var appealsMade = limit.Rule{
	Name: "fine:appeals", What: "appeals of fines", Who: "a person", Rate: limit.Rate{N: 10, Per: 24 * time.Hour},
	Refusal: "problem.fine_appeals", In: limit.InLimiter,
}

var (
	errAppealFine   = problem.New(problem.NotFound, "problem.fine_appeal_fine")
	errAppealGround = problem.New(problem.Invalid, "problem.fine_appeal_ground")
	errAppealText   = problem.New(problem.Invalid, "problem.fine_appeal_text", "n", AppealLeast, "most", AppealMost)
	errAppealOpen   = problem.New(problem.Conflict, "problem.fine_appeal_open")
	errAppeals      = problem.New(problem.TooMany, "problem.fine_appeals", "n", appealsMade.N)
	errNoAppeal     = problem.New(problem.NotFound, "problem.fine_appeal")
	errAppealOver   = problem.New(problem.Conflict, "problem.fine_appeal_over")
)

// Appeal appeals a fine of the proven citizen's own car: the register says whose it is. A fine has
// one open appeal; asking for the same again gives it. Problems: fine_proof, fine_plate,
// fine_number, fine_appeal_ground, fine_appeal_text, fine_appeals (too many), fine_plates,
// fine_appeal_fine (no such fine of a car of theirs), fine_appeal_open (another appeal of the fine
// is open) and the registry's.
func (s *Service) Appeal(ctx context.Context, c caller.Caller, a Appealed) (Appeal, error) {
	if c.Subject == "" {
		return Appeal{}, errProof
	}
	if err := Assurance.Admit(c, "appeal"); err != nil {
		return Appeal{}, err
	}
	plate, err := s.appealable(ctx, c, &a)
	if err != nil {
		return Appeal{}, err
	}
	until, err := s.ownFine(ctx, c, plate, a.Bill)
	if err == nil || errors.Is(err, errAppealFine) { // what the register does not answer is not the person's doing
		err = errors.Join(err, s.countAppeal(ctx, c, limit.Within))
	}
	if err != nil {
		return Appeal{}, err
	}
	var row db.FineAppeal
	for range numberDraws {
		err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
			row, err = s.keepAppeal(ctx, tx, c, a, until)
			return err
		})
		if !errors.Is(err, errDrawn) {
			break
		}
	}
	if err != nil {
		return Appeal{}, err
	}
	return s.appeal(row)
}

// numberDraws is how often a number is drawn that another appeal has: one of a thousand is, where
// there are a hundred thousand.
const numberDraws = 5

// appealable refuses what is no appeal, and what is one too many, before anybody is asked. The plate
// and the text are written as they are kept.
func (s *Service) appealable(ctx context.Context, c caller.Caller, a *Appealed) (Plate, error) {
	plate, err := ParsePlate(a.Plate)
	if err != nil {
		return plate, err
	}
	a.Plate = plate.Text
	if !billNumber.MatchString(a.Bill) {
		return plate, errNumber
	}
	if !offered(a.Ground, c.Now) {
		return plate, errAppealGround
	}
	if a.Text != "" || !speaks(a.Ground) {
		if a.Text, err = written(a.Text); err != nil {
			return plate, err
		}
	}
	if err := s.countAppeal(ctx, c, limit.Would); err != nil {
		return plate, err
	}
	return plate, s.admit(ctx, c, plate)
}

// countAppeal counts an appeal of the citizen's, or looks whether one more is too many. Problem: fine_appeals.
func (s *Service) countAppeal(
	ctx context.Context, c caller.Caller, count func(context.Context, limit.Limiter, ...limit.Bound) (*limit.Bound, time.Duration, error),
) error {
	used, wait, err := count(ctx, s.Limiter, limit.Bound{Key: appealsMade.Name + ":" + c.Subject, Rate: appealsMade.Rate})
	if err != nil {
		return fmt.Errorf("count appeals: %w", err)
	}
	if used != nil {
		return errAppeals.Until(c.Now, wait)
	}
	return nil
}

// written is a text as it is kept: of characters that are seen, in lines. Problem: fine_appeal_text.
func written(typed string) (string, error) {
	if !utf8.ValidString(typed) {
		return "", errAppealText
	}
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, norm.NFC.String(strings.ReplaceAll(typed, "\r\n", "\n"))))
	n := utf8.RuneCountInString(text)
	if n < AppealLeast || n > AppealMost || !strings.ContainsFunc(text, unicode.IsLetter) {
		return "", errAppealText
	}
	return text, nil
}

// ownFine asks the register whether a fine is of a car of the proven citizen's, and says until
// when it costs less; zero: it does not. One of another's car is as one that is not there.
func (s *Service) ownFine(ctx context.Context, c caller.Caller, plate Plate, number string) (until time.Time, err error) {
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return until, fmt.Errorf("read the owner's number: %w", err)
	}
	call := registry.Call{UserID: "KG" + pin, Issue: s.issue(c)}
	records, err := s.Register.Violations(ctx, call, pin, plate.Text)
	if key := problem.From(err).Key; err != nil && (key == "problem.registry_not_owner" || key == "problem.registry_plate_unknown") {
		return until, errAppealFine
	}
	if err != nil {
		return until, fmt.Errorf("ask whose a fine is: %w", err)
	}
	for _, r := range records {
		if r.PaymentNumber == number {
			return s.discountOf(ctx, c, r), nil
		}
	}
	return until, errAppealFine
}

// discountOf is when a fine's discount ends; zero: there is none, or nobody can say. An appeal
// waits for no price.
func (s *Service) discountOf(ctx context.Context, c caller.Caller, r registry.Violation) time.Time {
	if r.Paid {
		return time.Time{}
	}
	answer, err := s.Cashier.Check(ctx, s.call(c), r.PaymentNumber, priceOnly, c.Now)
	if err != nil || answer.Code != registry.CodeOK {
		return time.Time{}
	}
	return discountEnds(r.Delivered, r.Amount, answer.Cost, c.Now)
}

// AppealsShown is how many appeals a person, or an officer, is shown at most.
const AppealsShown = 100

// Appeals lists the appeals of the proven citizen c.Subject, the newest first. Problem: fine_proof.
func (s *Service) Appeals(ctx context.Context, c caller.Caller) ([]Appeal, error) {
	if c.Subject == "" {
		return nil, errProof
	}
	if err := Assurance.Admit(c, "appeals"); err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Reader()).AppealsOfCitizen(ctx, db.AppealsOfCitizenParams{CitizenID: c.Subject, Limit: AppealsShown})
	if err != nil {
		return nil, fmt.Errorf("list a person's appeals: %w", err)
	}
	return s.appeals(rows)
}

// AppealOf gives an appeal of the proven citizen c.Subject by its number, in any spelling.
// Problems: fine_proof, fine_appeal (they have no such appeal).
func (s *Service) AppealOf(ctx context.Context, c caller.Caller, typed string) (Appeal, error) {
	if c.Subject == "" {
		return Appeal{}, errProof
	}
	if err := Assurance.Admit(c, "appeals"); err != nil {
		return Appeal{}, err
	}
	q := db.New(s.DB.Reader())
	row, err := appealRow(ctx, q, typed)
	if err == nil && row.CitizenID != c.Subject {
		err = errNoAppeal
	}
	if err != nil {
		return Appeal{}, err
	}
	return s.whole(ctx, q, row)
}

// whole opens a row, with what was added to the appeal.
func (s *Service) whole(ctx context.Context, q *db.Queries, row db.FineAppeal) (Appeal, error) {
	a, err := s.appeal(row)
	if err != nil {
		return a, err
	}
	a.Files, err = filesOf(ctx, q, row.ID)
	return a, err
}

// appealRow finds an appeal by its number as it is typed. Problem: fine_appeal.
func appealRow(ctx context.Context, q *db.Queries, typed string) (db.FineAppeal, error) {
	number, ok := ParseAppeal(typed)
	if !ok {
		return db.FineAppeal{}, errNoAppeal
	}
	row, err := q.AppealByNumber(ctx, number)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errNoAppeal
	}
	if err != nil {
		return row, fmt.Errorf("find an appeal: %w", err)
	}
	return row, nil
}

// stateKey names the text of a state.
func stateKey(s AppealState) string { return "fine.appeal_state_" + string(s) }
