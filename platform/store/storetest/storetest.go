// Package storetest gives tests a fresh, migrated database of each kind.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/store"
)

// PostgresVariable names the environment variable that holds the address of a
// throwaway PostgreSQL whose user may create databases; `make test` sets it.
const PostgresVariable = "ESHIK_TEST_POSTGRES"

// Each runs test once on SQLite and once on PostgreSQL, each time on a database
// of its own. Without a PostgreSQL the test fails: it is never skipped.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t, NewSQLite(t)))
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t, NewPostgres(t)))
	})
}

// Open opens and migrates the database at dsn and closes it with the test.
func Open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := job.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	return db
}

// NewSQLite gives the address of a new SQLite file.
func NewSQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "eshik.db")
}

// NewPostgres makes a new database on the throwaway server and drops it with
// the test.
func NewPostgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresVariable)
	if server == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, which starts a throwaway PostgreSQL", PostgresVariable)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "eshik_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.Exec(fmt.Sprintf("CREATE DATABASE %s", name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = admin.Close()
	})
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/" + name
	return address.String()
}
