// Package storetest gives tests a fresh, migrated database of each kind.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/store"
)

// PostgresVariable names the environment variable that holds the address of a
// throwaway PostgreSQL whose user may create databases; `make test` sets it.
const PostgresVariable = "ESHIK_TEST_POSTGRES"

// scheme begins the address of an SQLite file.
const scheme = "sqlite:"

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
		test(t, open(t, copyPostgres(t)))
	})
}

// Open opens and migrates the database at dsn and closes it with the test. A new SQLite
// file is a copy of one that was migrated once for the whole process.
func Open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	file, isSQLite := strings.CutPrefix(dsn, scheme)
	if isSQLite {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			migrated, err := template()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, migrated, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return open(t, dsn)
	}
	db := open(t, dsn)
	if err := migrate(db); err != nil {
		t.Fatal(err)
	}
	return db
}

// open opens the database at dsn as it is and closes it with the test.
func open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Before runs test like Each, on a database of the schema that a migration, by its
// number, found: what is written there is as an earlier version wrote it. The test
// migrates it itself.
func Before(t *testing.T, migration int64, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	for name, address := range map[string]func(testing.TB) string{"sqlite": NewSQLite, "postgresql": NewPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(context.Background(), address(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			if err := db.MigrateTo(context.Background(), migration-1); err != nil {
				t.Fatal(err)
			}
			test(t, db)
		})
	}
}

// migrate brings a database to this build's version, with the job queue's tables.
func migrate(db *store.DB) error {
	if _, err := db.Migrate(context.Background()); err != nil {
		return err
	}
	return job.Migrate(context.Background(), db)
}

// template is a migrated SQLite file: thirty-odd migrations for each test would take
// longer than the tests.
var template = sync.OnceValues(func() (migrated []byte, err error) {
	folder, err := os.MkdirTemp("", "eshik-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	file := filepath.Join(folder, "eshik.db")
	db, err := store.Open(context.Background(), scheme+file)
	if err != nil {
		return nil, err
	}
	// Closing writes all that is in the log beside the file into it.
	if err := errors.Join(migrate(db), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file) // #nosec G304 -- made above
})

// NewSQLite gives the address of a new SQLite file.
func NewSQLite(t testing.TB) string {
	return scheme + filepath.Join(t.TempDir(), "eshik.db")
}

// NewPostgres makes a new, empty database on the throwaway server and drops it with
// the test.
func NewPostgres(t testing.TB) string {
	t.Helper()
	return newPostgres(t, "")
}

// copyPostgres makes a database that is migrated, and drops it with the test.
func copyPostgres(t testing.TB) string {
	t.Helper()
	migrated, err := templatePostgres()
	if err != nil {
		t.Fatal(err)
	}
	return newPostgres(t, " TEMPLATE "+migrated+" STRATEGY FILE_COPY")
}

// newPostgres makes a database as options, SQL, say.
func newPostgres(t testing.TB, options string) string {
	t.Helper()
	name, admin, err := createPostgres(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = admin.Close()
	})
	address, err := addressOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// templatePostgres is the name of a migrated database that nobody is connected to: to copy
// its files takes a tenth of what the migrations take. It goes with the throwaway server.
var templatePostgres = sync.OnceValues(func() (string, error) {
	name, admin, err := createPostgres("")
	if err != nil {
		return "", err
	}
	address, err := addressOf(name)
	if err = errors.Join(err, admin.Close()); err != nil {
		return "", err
	}
	db, err := store.Open(context.Background(), address)
	if err != nil {
		return "", err
	}
	return name, errors.Join(migrate(db), db.Close())
})

// createPostgres makes a database on the throwaway server; admin is connected to that, not to it.
func createPostgres(options string) (name string, admin *sql.DB, err error) {
	server := os.Getenv(PostgresVariable)
	if server == "" {
		return "", nil, fmt.Errorf("%s is not set: run the tests with `make test`, which starts a throwaway PostgreSQL", PostgresVariable)
	}
	if admin, err = sql.Open("pgx", server); err != nil {
		return "", nil, err
	}
	name = "eshik_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.Exec("CREATE DATABASE " + name + options); err != nil {
		return "", nil, errors.Join(err, admin.Close())
	}
	return name, admin, nil
}

// addressOf is the address of a database of the throwaway server.
func addressOf(name string) (string, error) {
	address, err := url.Parse(os.Getenv(PostgresVariable))
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}
