package storetest

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
)

// Plant is what somebody changes who has the database and not the master key.
type Plant struct {
	Name string
	// Statements change every table alike, so that all of them still fit together.
	Statements []string
	// Named is what the finding must hold: the row, and what of it.
	Named []string
}

// Planted has check look at each plant, in a transaction that is not kept, and fails
// where it does not say what was planted. Without a plant it must be silent.
func Planted(t testing.TB, db *store.DB, plants []Plant, check func(tx *sql.Tx) error) {
	t.Helper()
	if err := plant(t, db, Plant{}, check); err != nil {
		t.Fatalf("nothing is planted: %v", err)
	}
	for _, p := range plants {
		err := plant(t, db, p, check)
		if err == nil {
			t.Errorf("%s: not found", p.Name)
			continue
		}
		for _, named := range p.Named {
			if !strings.Contains(err.Error(), named) {
				t.Errorf("%s: %q is not named in: %v", p.Name, named, err)
			}
		}
	}
	if err := plant(t, db, Plant{}, check); err != nil {
		t.Errorf("a plant was kept: %v", err)
	}
}

// Lift has a ledger changed and deleted again, by tx or for good: who plants has the database.
func Lift(t testing.TB, db *store.DB, tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}) {
	t.Helper()
	for _, table := range store.KeptTables() {
		statements := []string{"ALTER TABLE " + table + " DISABLE TRIGGER USER"}
		if db.Engine() == store.SQLite {
			statements = nil
			for _, kept := range []string{"unchanged", "undeleted", "unreplaced"} {
				statements = append(statements, "DROP TRIGGER "+table+"_"+kept)
			}
			statements = append(statements, "DROP TRIGGER IF EXISTS "+table+"_closed")
		}
		for _, statement := range statements {
			if _, err := tx.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
}

func plant(t testing.TB, db *store.DB, p Plant, check func(tx *sql.Tx) error) error {
	t.Helper()
	tx, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // it is not to be kept
	Lift(t, db, tx)
	for _, statement := range p.Statements {
		result, err := tx.ExecContext(t.Context(), statement)
		if err != nil {
			t.Fatalf("%s: %s: %v", p.Name, statement, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s changes nothing: %s (%v)", p.Name, statement, err)
		}
	}
	return check(tx)
}

var (
	update = regexp.MustCompile(`^UPDATE (\w+) SET (.*?)(?: WHERE |$)`)
	column = regexp.MustCompile(`(?:^|, )(\w+) = `)
)

// Covered fails for every column of the tables ("payments.amount") that no plant
// changes and unsaid does not excuse: a new column is protected, or somebody says why
// it need not be. So it does for what is excused without need.
func Covered(t *testing.T, db *store.DB, tables []string, plants []Plant, unsaid map[string]string) {
	t.Helper()
	planted := map[string]bool{}
	for _, p := range plants {
		for _, statement := range p.Statements {
			if set := update.FindStringSubmatch(statement); set != nil {
				for _, c := range column.FindAllStringSubmatch(set[2], -1) {
					planted[set[1]+"."+c[1]] = true
				}
			}
		}
	}
	for _, table := range tables {
		for _, c := range columns(t, db, table) {
			why, excused := unsaid[c]
			switch {
			case !planted[c] && !excused:
				t.Errorf("nothing says what %s is to be: protect and plant it, or say why not", c)
			case planted[c] && excused:
				t.Errorf("%s is planted, and excused: %s", c, why)
			}
		}
	}
}

func columns(t *testing.T, db *store.DB, table string) []string {
	t.Helper()
	rows, err := db.Reader().QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0") // #nosec G202 -- a test's own names
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	for i, name := range names {
		names[i] = table + "." + name
	}
	return names
}
