package sign_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestTheMarkOfARevealedKey: who takes it from a row, moves it, or gives it to a key that nobody
// revealed, is found; revealed twice, a key keeps its first mark.
func TestTheMarkOfARevealedKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, database *store.DB) {
		w := testworld.New(t, database, testworld.Setup{})
		keys, err := sign.Open(t.Context(), deps(t, database, func(d *sign.Deps) { d.Trail = w.Trail }))
		w.OK(err)
		found := func() error {
			compare := sign.NewCompare(w.Audit)
			return database.Snapshot(t.Context(), func(tx *sql.Tx) error {
				_, err := w.Audit.Replay(t.Context(), tx, func(r audit.Recorded) { compare.See(r) })
				w.OK(err)
				return compare.Run(t.Context(), tx)
			})
		}
		w.OK(found())
		for range 2 {
			_, err = keys.Reveal(t.Context(), staff.Act{Actor: "staff:officer"})
			w.OK(err)
			w.OK(found())
		}
		for change, of := range map[string]string{
			"revealed_at = NULL WHERE generation = 1":            "gone",
			"revealed_at = revealed_at + 1 WHERE generation = 2": "otherwise",
			"made_at = made_at - 1 WHERE generation = 1":         "otherwise",
			"revealed_at = made_at WHERE generation = 3":         "knows nothing",
		} {
			before := rowsOf(t, database)
			exec(t, database, "UPDATE sign_keys SET "+change)
			if err := found(); err == nil || !strings.Contains(err.Error(), of) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", change, err)
			}
			restore(t, database, before)
		}
	})
}
