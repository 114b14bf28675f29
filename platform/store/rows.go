package store

import (
	"context"
	"database/sql"
)

// Rows gives every row that a query finds to use, which scans it. The first error ends it:
// the query's, that of use, or that of reading on.
func Rows(ctx context.Context, tx *sql.Tx, query string, args []any, use func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		if err := use(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
