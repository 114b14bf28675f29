package preschool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Waiting is a child who is in the queue already: a row taken over from another
// register, or a generated one of the sandbox.
type Waiting struct {
	// Minor is the child; its PIN makes a second import of the row do nothing.
	Minor Minor
	// Phone is the parent's, E.164; empty: nobody is told and nobody can answer.
	Phone  string
	Locale locales.Locale
	// Choices are codes of kindergartens in order of wish.
	Choices []string
	// Benefit is a category of the policy, or empty.
	Benefit string
	Since   time.Time
}

// importBatch is how many rows one transaction takes over: few enough to let
// citizens' writes through in between on SQLite.
const importBatch = 250

// ImportWaiting takes over a queue and returns how many children were new. It
// sends no messages. A row that is in the queue already is left as it is, so
// that an import cut short can be run again.
func (s *Service) ImportWaiting(ctx context.Context, rows []Waiting) (int, error) {
	directory, err := s.list(ctx)
	if err != nil {
		return 0, err
	}
	byCode := make(map[string]Kindergarten, len(directory))
	for _, k := range directory {
		byCode[k.Code] = k
	}
	imported := 0
	for batch := range slices.Chunk(rows, importBatch) {
		n, err := s.importRows(ctx, batch, byCode)
		imported += n
		if err != nil {
			return imported, err
		}
	}
	return imported, nil
}

func (s *Service) importRows(ctx context.Context, batch []Waiting, byCode map[string]Kindergarten) (int, error) {
	imported := 0
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		imported = 0
		for _, w := range batch {
			added, err := s.importRow(ctx, tx, w, byCode)
			if err != nil {
				return err
			}
			if added {
				imported++
			}
		}
		if imported == 0 {
			return nil
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: s.Now(), Actor: "system", Action: "preschool.import", Object: fmt.Sprintf("%d registrations", imported),
			Purpose: "take over a queue",
		}})
	})
	if err != nil {
		return 0, fmt.Errorf("import a part of the queue: %w", err)
	}
	return imported, nil
}

func (s *Service) importRow(ctx context.Context, tx *store.Tx, w Waiting, byCode map[string]Kindergarten) (bool, error) {
	p := s.rules.at(w.Since)
	rank, known := p.rank(w.Benefit)
	if !known {
		return false, fmt.Errorf("%q: %w", w.Benefit, problemBenefit)
	}
	e := entry{minor: w.Minor, cohort: p.cohort(w.Minor.Born), benefit: w.Benefit, rank: rank}
	for _, code := range w.Choices {
		k, known := byCode[code]
		if !known {
			return false, fmt.Errorf("kindergarten %q: %w", code, problemChoices)
		}
		e.chosen = append(e.chosen, k)
	}
	c := caller.Caller{Phone: w.Phone, Locale: w.Locale, Now: w.Since, Key: "import:" + s.childIndex(w.Minor.PIN)}
	row, err := s.row(c, e)
	if err != nil {
		return false, err
	}
	added, err := s.insert(ctx, tx, &row, e)
	if err != nil || !added {
		return false, err
	}
	_, groups, err := decided(ctx, tx, row.Number)
	if err != nil {
		return false, err
	}
	return true, s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: s.Now(), Actor: "system", Action: "preschool.take_over", Object: row.Number, Purpose: "take over a queue", Decided: groups,
	}})
}
