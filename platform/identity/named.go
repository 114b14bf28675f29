package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// errNamed is of a personal number by which a register names nobody.
var errNamed = problem.New(problem.Upstream, "problem.registry_answer")

// Pseudonym gives within tx the citizen of a personal number that a register named to an actor
// who acts for them, and makes one where there was none: what is done to their data is theirs
// to see, once they prove who they are. Problem: registry_answer, of what is no number.
func (s *Service) Pseudonym(ctx context.Context, tx *store.Tx, actor, pin string, now time.Time) (string, error) {
	number, ok := parsePIN(pin)
	if !ok {
		return "", errNamed
	}
	q, index := db.New(tx), s.Sealer.Index(pinPurpose, number)
	row, err := q.CitizenByPIN(ctx, index)
	if err == nil {
		_, err = numberOf(s.Sealer, row)
		return row.ID, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find a citizen: %w", err)
	}
	if row, err = s.knownAs(ctx, q, number, index, dbtime.From(now)); err != nil {
		return "", fmt.Errorf("make a citizen: %w", err)
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: actor, Action: "identity.named", Object: row.ID, Subject: row.ID,
		Purpose: "somebody acts for them", Decided: []*audit.Group{citizenOf(row)}, Was: []*audit.Group{},
	}})
	return row.ID, err
}

// PINIndex is the blind index of a personal number as it was typed, which tells nothing of whether it is
// anybody's, and its last four digits; not ok: it is none.
func (s *Service) PINIndex(typed string) (index, tail string, ok bool) {
	number, ok := parsePIN(typed)
	if !ok {
		return "", "", false
	}
	return s.Sealer.Index(pinPurpose, number), number[len(number)-4:], true
}

// Known gives within tx the citizen with the index of a personal number, if there is one. Whoever asks for
// them must not learn that.
func (s *Service) Known(ctx context.Context, tx *store.Tx, index string) (citizen string, ok bool, err error) {
	row, err := db.New(tx).CitizenByPIN(ctx, index)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err == nil {
		_, err = numberOf(s.Sealer, row)
	}
	if err != nil {
		return "", false, fmt.Errorf("find a citizen: %w", err)
	}
	return row.ID, true, nil
}
