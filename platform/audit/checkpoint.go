package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/eshik-kg/eshik/platform/audit/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/transparency"
)

// The chain's hashes are keyed: only who has the master key can check them. Beside it
// the sealed records are the leaves of a Merkle tree, whose checkpoints are signed and
// kept outside of the database. They can be checked without any secret, and also show
// that all of the database is an earlier copy.

// Tree is the name of the log's Merkle tree.
const Tree = "audit"

// Grow appends the sealed records that are not leaves of the tree yet.
func (l *Log) Grow(ctx context.Context, tree *transparency.Tree) error {
	for {
		n := 0
		err := l.db.InTx(ctx, func(tx *store.Tx) error {
			size, err := tree.Size(ctx, tx)
			if err != nil {
				return err
			}
			page, err := db.New(tx).Sealed(ctx, db.SealedParams{N: sql.NullInt64{Int64: size, Valid: true}, Limit: batch})
			if err != nil {
				return err
			}
			leaves := make([][]byte, len(page))
			for i, r := range page {
				if leaves[i] = leaf(r); r.N.Int64 != size+int64(i)+1 {
					return fmt.Errorf("record %d follows record %d: %w", r.N.Int64, size+int64(i), ErrTampered)
				}
			}
			if n = len(page); n == 0 {
				return nil
			}
			return tree.Append(ctx, tx, size, leaves)
		})
		if errors.Is(err, transparency.ErrOvertaken) {
			continue
		}
		if err != nil {
			return fmt.Errorf("append the audit log to its tree: %w", err)
		}
		if n < batch {
			return nil
		}
	}
}

// leaf is a sealed record as the tree has it.
func leaf(r db.AuditRecord) []byte {
	return []byte(joined(strconv.FormatInt(r.N.Int64, 10)) + text(r))
}

// VerifyCheckpoint reports whether the log's first records are those of a checkpoint.
// It needs no secret. The error wraps [ErrTampered]; where the tree still has the hashes
// of then, it names the first record that is another.
func VerifyCheckpoint(ctx context.Context, database *store.DB, c transparency.Checkpoint) error {
	return database.Snapshot(ctx, func(tx *sql.Tx) error { return CheckRecords(ctx, tx, c) })
}

// CheckRecords is [VerifyCheckpoint] within a transaction.
func CheckRecords(ctx context.Context, tx *sql.Tx, c transparency.Checkpoint) error {
	var root transparency.Root
	err := first(ctx, tx, c.Size, func(r db.AuditRecord) error {
		root.Add(leaf(r))
		return nil
	})
	if err != nil || root.Hash() == c.Root {
		return err
	}
	err = first(ctx, tx, c.Size, func(r db.AuditRecord) error { return same(ctx, tx, r) })
	return errors.Join(fmt.Errorf("the first %d records are not those of the checkpoint: %w", c.Size, ErrTampered), err)
}

// first gives the first n sealed records to see, until it fails.
func first(ctx context.Context, tx *sql.Tx, n int64, see func(db.AuditRecord) error) error {
	q := db.New(tx)
	for at := int64(0); at < n; {
		page, err := q.Sealed(ctx, db.SealedParams{N: sql.NullInt64{Int64: at, Valid: true}, Limit: batch})
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if len(page) == 0 {
			return fmt.Errorf("the checkpoint is of %d records, the log has %d: %w", n, at, ErrTampered)
		}
		for _, r := range page[:min(int64(len(page)), n-at)] {
			if at++; r.N.Int64 != at {
				return fmt.Errorf("record %d is missing: %w", at, ErrTampered)
			}
			if err := see(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// same names a record that is not the leaf that the tree has of it.
func same(ctx context.Context, tx *sql.Tx, r db.AuditRecord) error {
	stored, err := transparency.Leaf(ctx, tx, Tree, r.N.Int64-1)
	if err != nil {
		return err
	}
	if stored != tlog.RecordHash(leaf(r)) {
		return fmt.Errorf("record %d (%s of %s) is not what was appended: %w", r.N.Int64, r.Action, r.Object, ErrTampered)
	}
	return nil
}
