package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
)

// Dump writes every cell of every table as "column=value" lines, bytes as they are:
// a test looks in it for what must not be kept.
func Dump(t testing.TB, db *store.DB) string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if db.Engine() == store.PostgreSQL {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	var tables []string
	read(t, db, query, func(_ []string, cells []any) { tables = append(tables, fmt.Sprint(cells[0])) })
	if len(tables) == 0 {
		t.Fatal("the database has no table")
	}
	var out strings.Builder
	for _, table := range tables {
		fmt.Fprintf(&out, "== %s\n", table)
		read(t, db, `SELECT * FROM "`+table+`"`, func(names []string, cells []any) {
			for i, cell := range cells {
				if raw, ok := cell.([]byte); ok {
					cell = string(raw)
				}
				fmt.Fprintf(&out, "%s=%v\n", names[i], cell)
			}
		})
	}
	return out.String()
}

// read gives each row of a query to use.
func read(t testing.TB, db *store.DB, query string, use func(names []string, cells []any)) {
	t.Helper()
	rows, err := db.Reader().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		use(names, cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
