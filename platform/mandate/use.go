package mandate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Under lists the mandates under which the citizen c.Subject may use a service for somebody else.
func (s *Service) Under(ctx context.Context, c caller.Caller, service string) ([]Mandate, error) {
	rows, err := db.New(s.DB.Reader()).OfHolder(ctx, db.OfHolderParams{HolderID: c.Subject, Now: dbtime.From(c.Now)})
	if err != nil {
		return nil, fmt.Errorf("list the mandates that a person holds: %w", err)
	}
	list := []Mandate{}
	for _, row := range rows {
		m, err := s.usable(row, c.Subject, service, c.Now)
		if errors.Is(err, ErrAbsent) {
			continue
		} else if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// Use gives a mandate under which a citizen may use a service at a moment. Problem: mandate_absent.
func (s *Service) Use(ctx context.Context, id, holder, service string, now time.Time) (Mandate, error) {
	row, err := db.New(s.DB.Reader()).Mandate(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Mandate{}, ErrAbsent
	} else if err != nil {
		return Mandate{}, fmt.Errorf("find a mandate: %w", err)
	}
	return s.usable(row, holder, service, now)
}

// Hold is Use for what is done in tx: whoever ends it waits until tx ends, and what was ended before is
// not done.
func (s *Service) Hold(ctx context.Context, tx *store.Tx, id, holder, service string, now time.Time) (Mandate, error) {
	row, err := s.row(ctx, tx, id)
	if err != nil {
		return Mandate{}, err
	}
	return s.usable(row, holder, service, now)
}

func (s *Service) usable(row db.Mandate, holder, service string, now time.Time) (Mandate, error) {
	m, err := s.viewFor(Holder, row)
	switch {
	case err != nil:
		return Mandate{}, err
	case holder == "" || row.HolderID != holder || row.GivenAt.IsZero() || !row.EndedAt.IsZero() || !row.UntilAt.After(now),
		!slices.Contains(m.Services, service):
		return Mandate{}, ErrAbsent
	}
	return m, s.genuine(row)
}

// Died ends the mandates that a giver gave whom the registers know as dead.
func (s *Service) Died(ctx context.Context, giver string, now time.Time) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := s.endAll(ctx, tx, giver, "", now, func(row db.Mandate) string {
			if row.GiverID != giver {
				return ""
			}
			return byDeath
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("end the mandates of who died: %w", err)
	}
	return nil
}

// most is how many mandates of one person are ended at once; nobody has as many.
const most = 10000

// endAll ends those of a person's mandates that are not over and for which why says why, and gives all of
// them, with what is asked of the number with an index if there is one. They are held in the order of
// their ids, so that two people who gave each other one do not wait for each other.
func (s *Service) endAll(ctx context.Context, tx *store.Tx, citizen, index string, now time.Time, why func(db.Mandate) string) ([]db.Mandate, error) {
	rows, err := s.allOf(ctx, tx, citizen, index)
	if err != nil {
		return nil, err
	}
	all := []db.Mandate{}
	for _, old := range rows {
		by := why(old)
		if by == "" && index == "" {
			continue
		}
		row, err := s.row(ctx, tx, old.ID)
		if errors.Is(err, ErrAbsent) { // it was erased with the other side meanwhile
			continue
		} else if err != nil {
			return nil, err
		}
		if by != "" && (row.EndedAt.IsZero() || unheard(row, citizen)) {
			if err := s.end(ctx, tx, "system", row, by, now, analytics.Event{}); err != nil {
				return nil, err
			}
		}
		all = append(all, row)
	}
	return all, nil
}

// unheard reports that a citizen asked for what was refused: to them it lasts.
func unheard(row db.Mandate, citizen string) bool {
	return row.HolderID == citizen && row.GivenAt.IsZero() && row.EndedBy == byGiver
}

func (s *Service) allOf(ctx context.Context, tx *store.Tx, citizen, index string) ([]db.Mandate, error) {
	rows, err := db.New(tx).AllOf(ctx, db.AllOfParams{Citizen: citizen, N: most})
	if err == nil && index != "" {
		var asked []db.Mandate
		asked, err = db.New(tx).AskedOf(ctx, index)
		rows = append(rows, asked...)
	}
	if err != nil {
		return nil, fmt.Errorf("list a person's mandates: %w", err)
	}
	slices.SortFunc(rows, func(a, b db.Mandate) int { return strings.Compare(a.ID, b.ID) })
	return rows, nil
}
