package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/eshik-kg/eshik/platform/store"
)

// River's PostgreSQL driver wants a pgx.Tx, and ours is a database/sql one on
// the same connection. The bridge hands River that connection as a transaction
// that River may use but not end.

// withPgx runs fn with the pgx view of tx.
func withPgx(tx *store.Tx, fn func(pgx.Tx) error) error {
	return tx.Pgx(func(conn *pgx.Conn) error { return fn(&borrowed{conn: conn}) })
}

// borrowed is a transaction that somebody else began and will end. A nested
// Begin is a savepoint, as pgx does it.
type borrowed struct {
	*conn
	depth int
}

// conn gives borrowed the connection's own Exec, Query, …, under a name that
// leaves "Conn" to the method which pgx.Tx asks for.
type conn = pgx.Conn

var errBorrowed = errors.New("the job queue may not end its caller's transaction")

func (b *borrowed) name() string { return fmt.Sprintf("job_%d", b.depth) }

// Begin makes a savepoint.
func (b *borrowed) Begin(ctx context.Context) (pgx.Tx, error) {
	inner := &borrowed{conn: b.conn, depth: b.depth + 1}
	if _, err := b.conn.Exec(ctx, "SAVEPOINT "+inner.name()); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	return inner, nil
}

// Commit releases the savepoint.
func (b *borrowed) Commit(ctx context.Context) error {
	if b.depth == 0 {
		return errBorrowed
	}
	_, err := b.conn.Exec(ctx, "RELEASE SAVEPOINT "+b.name())
	return err
}

// Rollback goes back to the savepoint.
func (b *borrowed) Rollback(ctx context.Context) error {
	if b.depth == 0 {
		return errBorrowed
	}
	_, err := b.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT "+b.name())
	return err
}

// LargeObjects is not for the job queue.
func (b *borrowed) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Conn gives the connection underneath.
func (b *borrowed) Conn() *pgx.Conn { return b.conn }

func newLiteClient(db *store.DB, config *river.Config) (*river.Client[*sql.Tx], error) {
	return river.NewClient(riversqlite.New(db.Writer()), config)
}

func migrate[TTx any](ctx context.Context, driver riverdriver.Driver[TTx]) error {
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
