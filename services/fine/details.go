package fine

import (
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// Violation is a fine as its car's owner may see it.
type Violation struct {
	Number string // payment code
	// Resolution is the protocol's number.
	Resolution string
	// Title is what happened, in the caller's language where it is known.
	Title string
	// Word is the same in one word, at most 11 characters; empty where it is not known.
	Word    string
	Article string
	// At is the moment for who is proved strongly; else midnight of its day in Bishkek.
	At time.Time
	// Place is for who is proved strongly; else empty, as where the register has none.
	Place  string
	Amount money.Amount // in full
	// Due is what the register takes for it now; as Lookup says it.
	Due       money.Amount
	Paid      bool
	Delivered time.Time // of the resolution; zero: not yet
	// Until is when the discount that Due counts ends; zero: there is none, or nobody knows.
	Until time.Time
	// Judgement is what a court decided of it, in the register's words; empty: nothing.
	Judgement string
}

// Percent is what share of the fine its discount is now.
func (v Violation) Percent() int {
	if v.Due == 0 { // paid, or closed
		return 0
	}
	return percentOff(v.Amount, v.Due)
}

var errProof = problem.New(problem.Unproven, "problem.fine_proof")

// Details lists the fines of the caller's own car, paid ones too, newest first. Problems:
// fine_proof (who the caller is must be proven first), fine_plate,
// registry_not_owner, and the registry's.
func (s *Service) Details(ctx context.Context, c caller.Caller, typed string) ([]Violation, error) {
	citizen, err := s.owner(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.priced(ctx, c, citizen, typed)
}

// priced are the details of a citizen's car, each unpaid fine with what it costs now.
func (s *Service) priced(ctx context.Context, c caller.Caller, citizen identity.Citizen, typed string) ([]Violation, error) {
	list, err := s.details(ctx, c, citizen, typed)
	if err != nil {
		return nil, err
	}
	call := s.call(c)
	err = atOnce(len(list), func(i int) error { return s.priceNow(ctx, call, &list[i], c.Now) })
	if err != nil {
		return nil, fmt.Errorf("price an owner's fines: %w", err)
	}
	return list, nil
}

// priceNow asks what a fine costs now: nothing where it is paid or closed.
func (s *Service) priceNow(ctx context.Context, call registry.Call, v *Violation, now time.Time) error {
	if v.Paid {
		return nil
	}
	answer, err := s.Cashier.Check(ctx, call, v.Number, priceOnly, now)
	if err != nil || answer.Code != registry.CodeOK {
		return err
	}
	v.Due, v.Until = answer.Cost, discountEnds(v.Delivered, v.Amount, answer.Cost, now)
	return nil
}

// owner is whom the caller's phone is proved for.
func (s *Service) owner(ctx context.Context, c caller.Caller) (identity.Citizen, error) {
	citizen, proven, err := s.Identity.Proof(ctx, c)
	if err != nil {
		return citizen, fmt.Errorf("look for a proof: %w", err)
	}
	if !proven {
		return citizen, errProof
	}
	return citizen, nil
}

// details is Details of a citizen, without what the fines cost.
func (s *Service) details(ctx context.Context, c caller.Caller, citizen identity.Citizen, typed string) ([]Violation, error) {
	plate, err := ParsePlate(typed)
	if err != nil {
		return nil, err
	}
	c.Level = citizen.Level
	if err := Assurance.Admit(c, "details"); err != nil {
		return nil, err
	}
	pin, err := s.Identity.PIN(ctx, citizen.ID)
	if err != nil {
		return nil, fmt.Errorf("read the owner's number: %w", err)
	}
	call := registry.Call{UserID: "KG" + pin, Issue: s.issue(c)}
	records, err := s.Register.Violations(ctx, call, pin, plate.Text)
	if err != nil {
		return nil, fmt.Errorf("list an owner's fines: %w", err)
	}
	if err := s.noteDetails(ctx, c, citizen.ID, records); err != nil {
		return nil, fmt.Errorf("note an owner's look: %w", err)
	}
	list := make([]Violation, 0, len(records))
	for _, r := range records {
		list = append(list, Violation{
			Number: r.PaymentNumber, Resolution: r.ProtocolNumber, Title: s.titles.in(c.Locale, r.Type), Word: s.titles.word(c.Locale, r.Type),
			Article: r.Article, At: r.Date, Place: r.Place, Amount: r.Amount, Paid: r.Paid, Delivered: r.Delivered,
			Judgement: r.Judgement,
		})
	}
	// The register promises no order; those of one moment stay as it gave them.
	slices.SortStableFunc(list, func(a, b Violation) int { return b.At.Compare(a.At) })
	if Assurance.Admit(c, "evidence") != nil {
		for i := range list {
			list[i].At, list[i].Place = clock.Midnight(list[i].At), ""
		}
	}
	return list, nil
}

// noteDetails records who looked, and keeps which resolution each fine has: a
// settlement of unknown outcome is decided by it.
func (s *Service) noteDetails(ctx context.Context, c caller.Caller, citizenID string, records []registry.Violation) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		for _, r := range records {
			err := q.NoteProtocol(ctx, db.NoteProtocolParams{
				PaymentNumber: r.PaymentNumber, ProtocolNumber: r.ProtocolNumber,
			})
			if err != nil {
				return err
			}
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: c.Now, Actor: citizenID, Action: "fine.details", Object: "smartcityGetViolations",
			Subject: citizenID, Purpose: Name,
		}})
	})
}

// titlesFile has the register's Russian names of violations, their Kyrgyz names, and
// what each is called in a word, in Russian, Kyrgyz and English.
//
//go:embed titles.csv
var titlesFile string

// title is what a violation is called.
type title struct {
	ky    string
	short map[locales.Locale]string // at most 11 characters, by the language
}

// titles are the names by the register's, in lower case.
type titles map[string]title

func loadTitles() (titles, error) {
	rows, err := csv.NewReader(strings.NewReader(titlesFile)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read titles.csv: %w", err)
	}
	known := make(titles, len(rows))
	for _, row := range rows {
		known[strings.ToLower(row[0])] = title{
			ky: row[1], short: map[locales.Locale]string{locales.RU: row[2], locales.KY: row[3], locales.EN: row[4]},
		}
	}
	return known, nil
}

// in gives a violation's name in a language; one that is not known stays as the
// register writes it.
func (t titles) in(loc locales.Locale, registered string) string {
	if title, ok := t[strings.ToLower(strings.TrimSpace(registered))]; ok && loc.Language() == locales.KY {
		return title.ky
	}
	return registered
}

// word gives a violation's name in one word; "" for one that is not known.
func (t titles) word(loc locales.Locale, registered string) string {
	return t[strings.ToLower(strings.TrimSpace(registered))].short[loc.Language()]
}
