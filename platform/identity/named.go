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
