package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"math"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to this build's version and returns how many
// migrations ran. Several processes may call it at once on PostgreSQL; the job
// queue's own tables are made by job.Migrate.
func (db *DB) Migrate(ctx context.Context) (int, error) {
	return db.migrate(ctx, math.MaxInt64)
}

// MigrateTo brings the schema to that of an earlier version, the number of its last
// migration: a test plants rows of before there.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	_, err := db.migrate(ctx, version)
	return err
}

func (db *DB) migrate(ctx context.Context, version int64) (int, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	dialect := goose.DialectPostgres
	if db.engine == SQLite {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, db.writer, files, goose.WithGoMigrations(keptMigrations(db.engine)...))
	if err != nil {
		return 0, fmt.Errorf("prepare migrations: %w", err)
	}
	done, err := provider.UpTo(ctx, version)
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", err)
	}
	return len(done), nil
}
