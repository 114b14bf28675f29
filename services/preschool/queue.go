package preschool

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// numberDraws bounds how often a registration number that is taken is redrawn.
const numberDraws = 8

var (
	problemChild    = problem.New(problem.NotFound, "problem.preschool_child")
	problemOld      = problem.New(problem.Conflict, "problem.preschool_old")
	problemAbsent   = problem.New(problem.Invalid, "problem.preschool_kindergarten")
	problemChoices  = problem.New(problem.Invalid, "problem.preschool_choices")
	problemNumber   = problem.New(problem.NotFound, "problem.preschool_number")
	problemRepeated = problem.New(problem.Mismatch, "problem.preschool_repeated")
)

// Register puts a child of the proven citizen c.Subject into the queues of the
// chosen kindergartens (codes in order of wish) and sends the number by SMS.
// childRef is a Child.Ref. The same c.Turn has one effect: repeated, it gives
// the same number, and with other arguments problem.Mismatch. A child has one
// registration at a time.
func (s *Service) Register(ctx context.Context, c caller.Caller, childRef string, choices []string) (Position, error) {
	if c.Subject == "" {
		return Position{}, problemProve
	}
	if err := Assurance.Admit(c, "register"); err != nil {
		return Position{}, err
	}
	if c.Key == "" {
		return Position{}, errors.New("a registration needs a turn")
	}
	earlier, err := db.New(s.DB.Reader()).ByTurn(ctx, s.turnIndex(c.Key))
	if err == nil {
		return s.repeated(ctx, c, earlier, childRef, choices)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return Position{}, fmt.Errorf("look for an earlier turn: %w", err)
	}
	e, err := s.entry(ctx, c, childRef, choices)
	if err != nil {
		return Position{}, err
	}
	var number string
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		number, err = s.enter(ctx, tx, c, e)
		return err
	})
	if err != nil {
		return Position{}, err
	}
	return s.position(ctx, c, number)
}

// entry is what a registration is made of.
type entry struct {
	minor   Minor
	chosen  []Kindergarten
	cohort  int
	benefit string
	rank    int
}

// entry checks a registration's arguments against the registers and the rules.
func (s *Service) entry(ctx context.Context, c caller.Caller, childRef string, choices []string) (entry, error) {
	minors, err := s.minors(ctx, c)
	if err != nil {
		return entry{}, err
	}
	p := s.rules.at(c.Now)
	e := entry{rank: noBenefit}
	for _, m := range minors {
		if childRef != "" && s.childIndex(m.PIN)[:refLength] == childRef {
			e.minor, e.cohort = m, p.cohort(m.Born)
		}
	}
	if e.minor.PIN == "" {
		return entry{}, problemChild
	}
	if p.intake(c.Now)-e.cohort > p.Oldest {
		return entry{}, problemOld
	}
	e.chosen, err = s.chosen(ctx, p, choices)
	return e, err
}

// chosen finds the kindergartens of a list of codes.
func (s *Service) chosen(ctx context.Context, p policy, codes []string) ([]Kindergarten, error) {
	if len(codes) == 0 || len(codes) > p.Choices {
		return nil, problemChoices
	}
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	chosen := make([]Kindergarten, 0, len(codes))
	for i, code := range codes {
		at := slices.IndexFunc(all, func(k Kindergarten) bool { return k.Code == code })
		if at < 0 {
			return nil, problemAbsent.Of(i)
		}
		if slices.Contains(codes[:i], code) {
			return nil, problemChoices.Of(i)
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// repeated answers a turn that made a registration already.
func (s *Service) repeated(ctx context.Context, c caller.Caller, r db.PreschoolRegistration, childRef string, choices []string) (Position, error) {
	kept, err := db.New(s.DB.Reader()).Choices(ctx, r.ID)
	if err != nil {
		return Position{}, fmt.Errorf("read the choices: %w", err)
	}
	codes := make([]string, 0, len(kept))
	for _, choice := range kept {
		codes = append(codes, choice.Kindergarten)
	}
	if r.CitizenID != c.Subject || !strings.HasPrefix(r.ChildIndex, childRef) || !slices.Equal(codes, choices) {
		return Position{}, problemRepeated
	}
	return s.position(ctx, c, r.Number)
}

// enter writes the registration with all that belongs to it, or finds the one
// that a concurrent request of the same turn wrote, and gives its number.
func (s *Service) enter(ctx context.Context, tx *store.Tx, c caller.Caller, e entry) (string, error) {
	row, err := s.row(c, e)
	if err != nil {
		return "", err
	}
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil {
		return "", err
	} else if !held {
		return "", problemProve
	}
	purpose, err := keptPlace(ctx, db.New(tx), &row, c.Now)
	if err != nil {
		return "", err
	}
	written, err := s.insert(ctx, tx, &row, e)
	if err != nil {
		return "", err
	}
	if !written {
		return taken(ctx, db.New(tx), c, row)
	}
	return row.Number, s.leave(ctx, tx, effect{
		caller: c, step: "register", outcome: "done", object: row.Number, subject: c.Subject,
		purpose: purpose, dedup: "preschool.registered:" + row.ID,
		kind: notify.Receipt,
		say: func(loc locales.Locale) string {
			return gsm.Pick(s.Texts.Message(loc, "preschool.sms_registered", "number", row.Number))
		},
	})
}

// row prepares the registration's row, all but its number.
func (s *Service) row(c caller.Caller, e entry) (db.AddRegistrationParams, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return db.AddRegistrationParams{}, fmt.Errorf("make an id: %w", err)
	}
	plain, err := json.Marshal(e.minor)
	if err != nil {
		return db.AddRegistrationParams{}, fmt.Errorf("encode the child: %w", err)
	}
	row := db.AddRegistrationParams{
		ID: id.String(), Turn: s.turnIndex(c.Key), ChildIndex: s.childIndex(e.minor.PIN), CitizenID: c.Subject,
		Locale: string(c.Locale), Cohort: int64(e.cohort), Benefit: e.benefit, BenefitRank: int64(e.rank),
		RegisteredAt: dbtime.From(c.Now), QueuedAt: dbtime.From(c.Now),
	}
	if row.Child, err = s.Sealer.Seal(plain, "preschool.child:"+row.ID); err != nil {
		return row, fmt.Errorf("seal the child: %w", err)
	}
	if row.Phone, err = s.Sealer.Seal([]byte(c.Phone), "preschool.phone:"+row.ID); err != nil {
		return row, fmt.Errorf("seal the phone: %w", err)
	}
	if c.Phone != "" {
		row.PhoneIndex = s.phoneIndex(c.Phone)
	}
	return row, nil
}

// insert writes the registration and its choices; false: the turn or the child
// has one already, which waits or has its place.
func (s *Service) insert(ctx context.Context, tx *store.Tx, row *db.AddRegistrationParams, e entry) (bool, error) {
	q := db.New(tx)
	// The index refuses a second one too, but not beside one of before it was made.
	if _, err := q.HeldOfChild(ctx, row.ChildIndex); err == nil {
		return false, nil
	} else if !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("look for the child's registration: %w", err)
	}
	for range numberDraws {
		var err error
		if row.Number, err = newNumber(s.Random); err != nil {
			return false, err
		}
		written, err := q.AddRegistration(ctx, *row)
		if err != nil {
			return false, fmt.Errorf("write the registration: %w", err)
		}
		if written == 1 {
			return true, addChoices(ctx, q, row, e.chosen)
		}
		if _, err = q.ByNumber(ctx, row.Number); errors.Is(err, sql.ErrNoRows) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("look for the number: %w", err)
		}
	}
	return false, errors.New("no registration number is free")
}

func addChoices(ctx context.Context, q *db.Queries, row *db.AddRegistrationParams, chosen []Kindergarten) error {
	for i, k := range chosen {
		err := q.AddChoice(ctx, db.AddChoiceParams{
			RegistrationID: row.ID, Choice: int64(i + 1), Number: row.Number, Kindergarten: k.Code,
			NameKy: k.Name.KY, NameRu: k.Name.RU, Cohort: row.Cohort, BenefitRank: row.BenefitRank, QueuedAt: row.QueuedAt,
		})
		if err != nil {
			return fmt.Errorf("write a choice: %w", err)
		}
	}
	return nil
}

// taken says why a registration could not be written: its own turn was here
// first (then it gives that number), or the child is in the queue or has a place.
func taken(ctx context.Context, q *db.Queries, c caller.Caller, row db.AddRegistrationParams) (string, error) {
	same, err := q.ByTurn(ctx, row.Turn)
	if err == nil {
		if same.ChildIndex != row.ChildIndex {
			return "", problemRepeated
		}
		return same.Number, nil
	} else if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for the turn: %w", err)
	}
	held, err := q.HeldOfChild(ctx, row.ChildIndex)
	if err != nil {
		return "", fmt.Errorf("look for the child's registration: %w", err)
	}
	if State(held.State) == StatePlaced {
		return "", hasPlace(ctx, q, held, c)
	}
	return "", problem.New(problem.Conflict, "problem.preschool_registered", "number", held.Number)
}

// guesses is the guard of registration numbers, without what it counts by.
var guesses = limit.Guesses{Service: name, Refusal: "problem.preschool_looks_many"}

// Limits are the rules of the queue, for the table of all.
func Limits() []limit.Rule { return guesses.Rules("registration numbers looked up") }

// Position answers anybody who knows a registration number, in any spelling
// that ParseNumber reads: it tells nothing about the child.
func (s *Service) Position(ctx context.Context, c caller.Caller, number string) (Position, error) {
	parsed, ok := ParseNumber(number)
	if !ok {
		return Position{}, problemNumber
	}
	guard := guesses
	guard.Limiter, guard.Index = s.Limiter, s.Sealer.Index
	var found Position
	err := guard.Look(ctx, c, func() error {
		var err error
		if found, err = s.position(ctx, c, parsed); errors.Is(err, sql.ErrNoRows) {
			return problemNumber
		}
		return err
	}, func(err error) bool { return errors.Is(err, problemNumber) })
	return found, err
}

// position is Position of a canonical number, uncounted: for numbers that we found
// ourselves. Without such a registration the error is sql.ErrNoRows.
func (s *Service) position(ctx context.Context, c caller.Caller, number string) (Position, error) {
	q := db.New(s.DB.Reader())
	r, err := q.ByNumber(ctx, number)
	if err != nil {
		return Position{}, fmt.Errorf("find the registration: %w", err)
	}
	standings, err := q.Standings(ctx, r.ID)
	if err != nil {
		return Position{}, fmt.Errorf("count the queue: %w", err)
	}
	s.learnDistricts(ctx)
	found := Position{Number: r.Number, State: State(r.State), Group: s.group(c.Now, r.Cohort)}
	others, err := given(ctx, q, r.ID)
	if err != nil {
		return found, err
	}
	for _, st := range standings {
		if st.Queued {
			found.Places = append(found.Places, Place{
				Kindergarten: st.Kindergarten, Name: Name{KY: st.NameKy, RU: st.NameRu}, District: s.district(st.Kindergarten), Position: int(st.Ahead) + 1, Level: int(st.Level),
			})
			if g, is := others[st.Kindergarten]; is && found.State == StateWaiting {
				found.Places[len(found.Places)-1].Given = &g
			}
		}
	}
	if found.State == StateOffered {
		found.Offer, err = openOffer(ctx, q, r.ID, c.Now)
	}
	if found.Offer != nil {
		found.Offer.District = s.district(found.Offer.Kindergarten)
	}
	return found, err
}

// group names the age group of a cohort at a moment; a child who is too young
// for the youngest waits in it.
func (s *Service) group(now time.Time, cohort int64) string {
	p := s.rules.at(now)
	age := max(p.intake(now)-int(cohort), p.Youngest)
	return fmt.Sprintf("%d-%d", age, age+1)
}
