// Package store holds everything that must last: one set of SQL that runs on
// PostgreSQL and on SQLite, transactions that retry what the database asks to
// retry, and the migrations.
//
// Shared queries use only what both engines know: $1 placeholders, RETURNING,
// ON CONFLICT; no casts, now(), arrays or FOR UPDATE. Moments are dbtime.Time.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // also the "pgx" driver
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Engine is the kind of database behind a DB.
type Engine string

// The engines.
const (
	PostgreSQL Engine = "postgresql"
	SQLite     Engine = "sqlite"
)

// DB is an open database. Reads go to Reader, writes through InTx.
type DB struct {
	engine  Engine
	address string
	// writer has one connection on SQLite, which knows one writer at a time.
	writer *sql.DB
	reader *sql.DB
	// opened is when it was, also by the clock that nobody sets.
	opened time.Time
}

// Open opens "postgres://…" or "sqlite:path/to/file.db" and checks that it
// answers. The schema is not touched: see Migrate.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return openSQLite(ctx, path)
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return nil, errors.New("a database address starts with sqlite: or postgres://")
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	pool.SetMaxOpenConns(32)
	pool.SetMaxIdleConns(32)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach PostgreSQL: %w", err), pool.Close())
	}
	return &DB{engine: PostgreSQL, address: dsn, writer: pool, reader: pool, opened: time.Now()}, nil
}

// uriPath writes a path as SQLite reads it in a file: URI, which a # would end.
var uriPath = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	// Personal data, even sealed, is for its owner alone; the -wal file takes
	// the same permissions.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the operator's own path
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)",
	}}
	uri := "file:" + uriPath.Replace(path)
	writer, err := sql.Open("sqlite", uri+"?_txlock=immediate&"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), writer.Close())
	}
	pragmas.Add("_pragma", "query_only(1)")
	reader, err := sql.Open("sqlite", uri+"?"+pragmas.Encode())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), writer.Close())
	}
	reader.SetMaxOpenConns(8)
	return &DB{engine: SQLite, address: "sqlite:" + path, writer: writer, reader: reader, opened: time.Now()}, nil
}

// Engine says which database this is.
func (db *DB) Engine() Engine { return db.engine }

// Address is what Open was given. It may hold a password: never log it.
func (db *DB) Address() string { return db.address }

// Reader is for queries that change nothing, outside of a transaction.
func (db *DB) Reader() *sql.DB { return db.reader }

// Writer is for the parts that manage their own statements: migrations, jobs.
func (db *DB) Writer() *sql.DB { return db.writer }

// Clock is what the clock of the database's server shows. SQLite has the one of this process: there it is
// when the database was opened and what has passed since, whatever the clock was set to meanwhile; on a
// machine that slept it is late.
func (db *DB) Clock(ctx context.Context) (now time.Time, err error) {
	if db.engine == SQLite {
		return db.opened.Round(0).Add(time.Since(db.opened)), nil
	}
	if err := db.reader.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("ask the database what time it is: %w", err)
	}
	return now, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	if db.reader == db.writer {
		return db.writer.Close()
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Tx is a transaction. It also knows its connection, for the job queue.
type Tx struct {
	*sql.Tx
	Conn   *sql.Conn
	Engine Engine
}

// attempts bounds how often InTx runs a transaction that the database refused
// for another one's sake (serialisation failure, deadlock, busy).
const attempts = 10

// TransactionLasts bounds InTx from its call to the commit, with all attempts: what is not committed by
// then is rolled back. Whoever closes a span of time waits longer after its end, so that nothing of it is
// still under way.
const TransactionLasts = 20 * time.Minute

// InTx runs fn in a transaction and commits when it returns nil. When the
// database asks for the transaction to be tried again, fn runs again: it must
// keep its effects in the transaction. Inside fn, read through tx, never
// through Reader, which does not see the transaction's own writes.
func (db *DB) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, TransactionLasts)
	defer cancel()
	var err error
	for attempt := range attempts {
		if err = db.once(ctx, fn); err == nil || !retryable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(1<<attempt) * time.Millisecond):
		}
	}
	return fmt.Errorf("after %d attempts: %w", attempts, err)
}

func (db *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("take a connection: %w", err)
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := fn(&Tx{Tx: tx, Conn: conn, Engine: db.engine}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Snapshot runs fn in a transaction that reads one moment of the database, however
// long it takes and whatever others write meanwhile, and that changes nothing.
func (db *DB) Snapshot(ctx context.Context, fn func(tx *sql.Tx) error) error {
	var options *sql.TxOptions // SQLite: a transaction that reads is a snapshot
	if db.engine == PostgreSQL {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := db.reader.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was changed
	return fn(tx)
}

// Each runs a statement once for each row of arguments, in one round trip where
// the database can, and gives how many rows each one changed. Where rows are
// looked up by key this is safer than one statement with all keys: PostgreSQL may
// keep a plan for that which reads the whole table, made when it was small.
func (tx *Tx) Each(ctx context.Context, query string, rows [][]any) (changed []int64, err error) {
	changed = make([]int64, len(rows))
	if tx.Engine == SQLite {
		for i, row := range rows {
			result, err := tx.ExecContext(ctx, query, row...)
			if err == nil {
				changed[i], err = result.RowsAffected()
			}
			if err != nil {
				return nil, err
			}
		}
		return changed, nil
	}
	var batch pgx.Batch
	for i, row := range rows {
		batch.Queue(query, row...).Exec(func(tag pgconn.CommandTag) error {
			changed[i] = tag.RowsAffected()
			return nil
		})
	}
	return changed, tx.Pgx(func(conn *pgx.Conn) error { return conn.SendBatch(ctx, &batch).Close() })
}

// Pgx runs fn with the transaction's connection to PostgreSQL, which fn must not
// use afterwards.
func (tx *Tx) Pgx(fn func(conn *pgx.Conn) error) error {
	var failed error
	err := tx.Conn.Raw(func(driver any) error {
		bridged, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a %T is no connection to PostgreSQL", driver)
		}
		failed = fn(bridged.Conn())
		return nil // a failure of fn says nothing against the connection
	})
	return errors.Join(failed, err)
}

// Values are the placeholders of some rows, "($1, $2), ($3, $4)": one statement
// for many rows costs the database little more than for one.
func Values(rows, columns int) string {
	var list strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			list.WriteString("($")
		case i%columns == 0:
			list.WriteString("), ($")
		default:
			list.WriteString(", $")
		}
		list.WriteString(strconv.Itoa(i + 1))
	}
	list.WriteString(")")
	return list.String()
}

// retryable reports that the database, not the statement, was at fault.
func retryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" // serialization_failure, deadlock_detected
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// IsUnique reports that err is a violated unique or primary key constraint. On
// PostgreSQL the transaction is then dead: prefer ON CONFLICT DO NOTHING and
// count rows where the conflict is expected.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
