package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Given is why other children have the places of a kindergarten that a child waits for: how many
// were offered in the last allocation in which it asked for them. Each went to a child who comes
// before it: a check by other code found so before anybody was offered one.
type Given struct {
	At     time.Time
	Places int
	// Benefit is how many of them went to children whose benefit comes before this child's; the others
	// went by the moment. It is -1 where so few places were given, or so alike, that it would say of
	// a child who is known to have one whether it has a benefit.
	Benefit int
}

// fewPlaces is below how many places nothing is said of benefits.
const fewPlaces = 5

// given is by kindergarten what the last allocation of a registration gave to others, at those
// that it would rather have had than what it got.
func given(ctx context.Context, q *db.Queries, registration string) (map[string]Given, error) {
	me, err := q.LastRunOf(ctx, registration)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // it took part in none
	} else if err != nil {
		return nil, fmt.Errorf("find the last allocation of a registration: %w", err)
	}
	all := map[string]Given{}
	for _, word := range strings.Fields(me.Wishes) {
		place, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the wishes of a registration in the allocation %d: %w", me.Run, errMarket)
		}
		if place == me.Place {
			break // what comes after is not dearer
		}
		row, err := q.GivenPlaces(ctx, db.GivenPlacesParams{Run: me.Run, Place: place, Child: me.Child})
		if err != nil {
			return nil, fmt.Errorf("count the places that an allocation gave: %w", err)
		}
		g := Given{At: me.DecidedAt.Time, Places: int(row.Places), Benefit: int(row.Benefit)}
		if g.Places < fewPlaces || g.Benefit == g.Places {
			g.Benefit = -1
		}
		if g.Places > 0 {
			all[row.Kindergarten] = g
		}
	}
	return all, nil
}

// say says it in a line.
func (g Given) say() dialog.Message {
	date := clock.ShowDate(clock.Date(g.At))
	if g.Benefit > 0 {
		return dialog.Say("preschool.given_benefit", "date", date, "n", g.Places, "benefit", g.Benefit)
	}
	return dialog.Say("preschool.given", "date", date, "n", g.Places)
}
