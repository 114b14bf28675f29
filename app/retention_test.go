package app

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// tablesOf are the tables of a migrated database; River's jobs hold ids only, as
// platform/job says, and goose's table versions.
func tablesOf(t *testing.T, db *store.DB) (names []string) {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if db.Engine() == store.PostgreSQL {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
	}
	rows, err := db.Reader().QueryContext(t.Context(), query)
	testworld.OK(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		testworld.OK(t, rows.Scan(&name))
		if !strings.HasPrefix(name, "river_") && !strings.HasPrefix(name, "goose_") {
			names = append(names, name)
		}
	}
	testworld.OK(t, rows.Err())
	slices.Sort(names)
	return names
}

// TestEveryTableHasItsTerm: what each table keeps of people, why, how long and what deletes it
// is said, in the program and in the operators' guide; a chore that is named is there.
func TestEveryTableHasItsTerm(t *testing.T) {
	t.Parallel()
	listed := make([]string, len(Retention))
	for i, table := range Retention {
		listed[i] = table.Name
		if (table.Holds == "") != (table.Why == "") || table.Long == "" {
			t.Errorf("%s: it says what it holds of people and why, or neither, and how long", table.Name)
		}
	}
	guide, err := os.ReadFile("../docs/guides/operators.md")
	testworld.OK(t, err)
	if !strings.Contains(string(guide), RetentionTable()) {
		t.Errorf("docs/guides/operators.md has another table; this is it:\n%s", RetentionTable())
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		testworld.New(t, db, testworld.Setup{}) // migrates the queue's tables too
		if got := tablesOf(t, db); !slices.Equal(got, listed) {
			t.Errorf("the database has the tables\n%v, Retention has\n%v", got, listed)
		}
	})
	h := newHousehold(t, storetest.NewSQLite(t))
	names := []string{choreAnswer} // only where texts are taken
	for _, c := range h.app.chores() {
		names = append(names, c.Name)
	}
	for _, table := range Retention {
		if table.Chore != "" && !slices.Contains(names, table.Chore) {
			t.Errorf("%s: there is no chore %q", table.Name, table.Chore)
		}
	}
}

// TestWhatIsOldIsForgotten: rows that are past their term are deleted by the chores, those
// that are not stay.
func TestWhatIsOldIsForgotten(t *testing.T) {
	t.Parallel()
	everyDatabase(t, func(t *testing.T, dsn string) {
		h := newHousehold(t, dsn)
		now := time.Now()
		month, year := now.Add(-31*24*time.Hour).UnixMicro(), now.Add(-366*24*time.Hour).UnixMicro()
		kept := map[string]int{}
		for _, table := range []string{"identity_codes", "identity_attempts", "identity_proofs", "identity_notices", "notify_messages"} {
			kept[table] = h.count("SELECT COUNT(*) FROM " + table)
		}
		h.do("INSERT INTO identity_codes (id, phone_index, door, turn, code_mac, tries, sent_at, expires_at) VALUES ('old', 'p', 'open', 'old', 'm', 0, $1, $1)", month)
		h.do("INSERT INTO identity_attempts (id, phone_index, pin_index, pin_sealed, state, opened_at, expires_at) VALUES ('old', 'p', 'n', '', 'lapsed', $1, $1)", month)
		h.do("INSERT INTO identity_proofs (id, phone_index, citizen_id, proved_at, expires_at) SELECT 'old', 'p', id, $1, $1 FROM identity_citizens", month)
		h.do("INSERT INTO identity_notices (id, number, told_index, citizen_id, phone_index, made_at, expires_at) VALUES ('old', '1', 't', 'c', 'p', $1, $1)", month)
		h.do("INSERT INTO notify_messages (id, dedup, purpose, locale, phone_index, phone_sealed, text_sealed, state, tries, queued_at) "+
			"VALUES ('old', 'old', 'receipt', 'ky', 'p', '', '', 'sent', 1, $1), ('waits', 'waits', 'receipt', 'ky', 'p', '', '', 'queued', 0, $1)", year)
		kept["notify_messages"]++ // what is queued is not over
		for _, c := range h.app.chores() {
			if c.Name == choreForget || c.Name == choreForgetMessages {
				testworld.OK(t, c.Do(t.Context()))
			}
		}
		for table, want := range kept {
			if n := h.count("SELECT COUNT(*) FROM " + table); n != want {
				t.Errorf("%s has %d rows, not %d", table, n, want)
			}
		}
	})
}
