package storetest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestCopiesAreMigrated: what tests get is what migrations make, each its own, and what
// was written stays when a file is opened again.
func TestCopiesAreMigrated(t *testing.T) {
	t.Parallel()
	plain, err := store.Open(t.Context(), storetest.NewSQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	if ran, err := plain.Migrate(t.Context()); err != nil || ran < 30 {
		t.Fatalf("%d migrations ran: %v", ran, err)
	}
	if err := job.Migrate(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	dsn := storetest.NewSQLite(t)
	one, other := storetest.Open(t, dsn), storetest.Open(t, storetest.NewSQLite(t))
	if got, want := schema(t, one), schema(t, plain); !slices.Equal(got, want) || len(want) < 50 {
		t.Errorf("a copy has %d tables and indexes, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	if ran, err := one.Migrate(t.Context()); ran != 0 || err != nil {
		t.Errorf("%d migrations were left: %v", ran, err)
	}
	if _, err := one.Writer().Exec("INSERT INTO notify_stops (phone_index, stopped_at) VALUES ('a', 1)"); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	for want, db := range []*store.DB{other, storetest.Open(t, dsn)} {
		var n int
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM notify_stops").Scan(&n); err != nil || n != want {
			t.Errorf("%d rows, want %d: %v", n, want, err)
		}
	}
}

// TestCopiesOfPostgresAreMigrated: the copy that a test gets has what migrations make there.
func TestCopiesOfPostgresAreMigrated(t *testing.T) {
	t.Parallel()
	want := schemaPostgres(t, storetest.Open(t, storetest.NewPostgres(t)))
	if len(want) < 500 {
		t.Fatalf("a migrated database has %d columns and indexes", len(want))
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if db.Engine() != store.PostgreSQL {
			return // TestCopiesAreMigrated
		}
		if got := schemaPostgres(t, db); !slices.Equal(got, want) {
			t.Errorf("a copy has %d columns and indexes, want %d", len(got), len(want))
		}
		if ran, err := db.Migrate(t.Context()); ran != 0 || err != nil {
			t.Errorf("%d migrations were left: %v", ran, err)
		}
	})
}

// schemaPostgres is each column, index and trigger, as the database describes it.
func schemaPostgres(t *testing.T, db *store.DB) []string {
	t.Helper()
	return lines(t, db, `
		SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') AS line
		FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY line`)
}

// schema is all that a database holds, as it was written.
func schema(t *testing.T, db *store.DB) []string {
	t.Helper()
	return lines(t, db, "SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_master ORDER BY name")
}

// lines is the only column of a query.
func lines(t *testing.T, db *store.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Reader().Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
