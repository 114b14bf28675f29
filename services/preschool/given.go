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
// before it: a check by other code found so before anybody was offered one. How many of them by a
// benefit is not said: beside the public file of an allocation it would say which children have one.
type Given struct {
	At     time.Time
	Places int
}

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
		row, err := q.GivenPlaces(ctx, db.GivenPlacesParams{Run: me.Run, Place: place})
		if err != nil {
			return nil, fmt.Errorf("count the places that an allocation gave: %w", err)
		}
		if row.Places > 0 {
			all[row.Kindergarten] = Given{At: me.DecidedAt.Time, Places: int(row.Places)}
		}
	}
	return all, nil
}

// say says it in a line.
func (g Given) say() dialog.Message {
	return dialog.Say("preschool.given", "date", clock.ShowDate(clock.Date(g.At)), "n", g.Places)
}
