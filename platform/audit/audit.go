// Package audit is the tamper-evident log: who did what, to whose data, why.
//
// A record is written in the transaction of what it tells about, so neither is
// there without the other, and no writer waits for another. Seal then takes the
// records that are committed, gives them their place in a chain and a keyed hash
// over the record and all before it; Verify walks the chain. Whoever can write
// to the database but lacks the master key cannot change, add, drop or reorder
// sealed records unnoticed. Removing the whole log, head included, or restoring
// an earlier copy of it all shows only beside a head noted elsewhere: Seal
// returns it.
package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/audit/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ErrTampered says that the log is not what was written.
var ErrTampered = errors.New("the audit log was tampered with")

// errOvertaken says that another process sealed the same records.
var errOvertaken = errors.New("another process seals")

// Purposes of the keyed hashes.
const (
	chainPurpose = "audit.chain"
	headPurpose  = "audit.head"
)

// batch is how many records one transaction seals, or one page of Verify reads.
const batch = 500

// Entry is one thing done. It holds pseudonyms only: no personal number, phone,
// code or text.
type Entry struct {
	At      time.Time
	Actor   string // who: a citizen's id, a blind index, a part of ours
	Action  string // "identity.prove"
	Object  string // what it was done to: an id
	Subject string // whose data: a citizen's id or a blind index
	Purpose string // why the data was looked at or changed
}

// Hasher gives keyed hashes; a seal.Sealer is one.
type Hasher interface {
	Index(purpose, value string) string
}

// Log is the audit log. It is safe for concurrent use.
type Log struct {
	db     *store.DB
	hasher Hasher
}

// New makes the log of a database.
func New(database *store.DB, hasher Hasher) *Log {
	return &Log{db: database, hasher: hasher}
}

// Head is the end of the chain: how many records are sealed, and the keyed hash
// of the last one.
type Head struct {
	N   int64
	MAC string
}

// Record writes e in the caller's transaction.
func (l *Log) Record(ctx context.Context, tx *store.Tx, e Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an audit record's id: %w", err)
	}
	err = db.New(tx).Record(ctx, db.RecordParams{
		ID: id.String(), HappenedAt: dbtime.From(e.At), Actor: e.Actor, Action: e.Action,
		Object: e.Object, Subject: e.Subject, Purpose: e.Purpose,
	})
	if err != nil {
		return fmt.Errorf("write an audit record: %w", err)
	}
	return nil
}

// Seal chains all committed records that are not chained yet and returns the
// new head. Call it every few seconds, from any number of processes.
func (l *Log) Seal(ctx context.Context) (Head, error) {
	for {
		var head Head
		var sealed int
		err := l.db.InTx(ctx, func(tx *store.Tx) (err error) {
			head, sealed, err = l.sealBatch(ctx, db.New(tx))
			return err
		})
		if errors.Is(err, errOvertaken) {
			continue
		}
		if err != nil {
			return Head{}, fmt.Errorf("seal the audit log: %w", err)
		}
		if sealed < batch {
			return head, nil
		}
	}
}

func (l *Log) sealBatch(ctx context.Context, q *db.Queries) (Head, int, error) {
	last, err := l.head(ctx, q)
	if err != nil {
		return Head{}, 0, err
	}
	records, err := q.Unsealed(ctx, batch)
	if err != nil || len(records) == 0 {
		return last, 0, err
	}
	head := last
	macs := make([]string, len(records))
	for i, r := range records {
		head = Head{N: head.N + 1, MAC: l.mac(head.MAC, head.N+1, r)}
		macs[i] = head.MAC
	}
	// The head moves first: it is the lock between processes that seal.
	moved, err := q.MoveHead(ctx, db.MoveHeadParams{N: head.N, Mac: head.MAC, Own: l.own(head), N_2: last.N})
	if err != nil {
		return Head{}, 0, err
	}
	if moved == 0 {
		return Head{}, 0, errOvertaken
	}
	for i, r := range records {
		n, err := q.SealRecord(ctx, db.SealRecordParams{
			N:   sql.NullInt64{Int64: last.N + int64(i) + 1, Valid: true},
			Mac: sql.NullString{String: macs[i], Valid: true},
			ID:  r.ID,
		})
		if err != nil {
			return Head{}, 0, err
		}
		if n == 0 {
			return Head{}, 0, errOvertaken
		}
	}
	return head, len(records), nil
}

// head reads the end of the chain and makes it when there is none yet. A forged
// head is not built upon.
func (l *Log) head(ctx context.Context, q *db.Queries) (Head, error) {
	start := Head{}
	if err := q.StartHead(ctx, db.StartHeadParams{N: start.N, Mac: start.MAC, Own: l.own(start)}); err != nil {
		return Head{}, err
	}
	row, err := q.Head(ctx)
	if err != nil {
		return Head{}, err
	}
	head := Head{N: row.N, MAC: row.Mac}
	if row.Own != l.own(head) {
		return Head{}, fmt.Errorf("the head is forged: %w", ErrTampered)
	}
	return head, nil
}

// Verify walks the whole chain. It returns an error that wraps ErrTampered and
// names the first place that is wrong. Records that are not sealed yet are not
// looked at.
func (l *Log) Verify(ctx context.Context) error {
	return l.db.Snapshot(ctx, func(tx *sql.Tx) error { return l.Replay(ctx, tx, func(Entry) {}) })
}

// Replay is Verify within a snapshot of the database, and gives every record to see
// in the order of the chain, then those that are not sealed yet.
func (l *Log) Replay(ctx context.Context, tx *sql.Tx, see func(Entry)) error {
	q := db.New(tx)
	end, err := q.Ends(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = l.verifyEmpty(ctx, q)
	case err != nil:
		return fmt.Errorf("read the head of the audit log: %w", err)
	default:
		head := Head{N: end.N, MAC: end.Mac}
		switch {
		case end.Own != l.own(head):
			err = fmt.Errorf("the head is forged: %w", ErrTampered)
		case end.Sealed != head.N:
			err = fmt.Errorf("%d records are sealed, the head says %d: %w", end.Sealed, head.N, ErrTampered)
		default:
			err = l.verifyChain(ctx, q, head, see)
		}
	}
	if err != nil {
		return err
	}
	return unsealed(ctx, q, see)
}

// unsealed gives the records that have no place in the chain yet.
func unsealed(ctx context.Context, q *db.Queries, see func(Entry)) error {
	after := ""
	for {
		page, err := q.UnsealedAfter(ctx, db.UnsealedAfterParams{ID: after, Limit: batch})
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		for _, r := range page {
			see(entryOf(r))
			after = r.ID
		}
		if len(page) < batch {
			return nil
		}
	}
}

func entryOf(r db.AuditRecord) Entry {
	return Entry{At: r.HappenedAt.Time, Actor: r.Actor, Action: r.Action, Object: r.Object, Subject: r.Subject, Purpose: r.Purpose}
}

// verifyEmpty is Verify without a head: then nothing may be sealed.
func (l *Log) verifyEmpty(ctx context.Context, q *db.Queries) error {
	n, err := q.CountSealed(ctx)
	if err != nil {
		return fmt.Errorf("count the sealed audit records: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%d records are sealed and there is no head: %w", n, ErrTampered)
	}
	return nil
}

func (l *Log) verifyChain(ctx context.Context, q *db.Queries, head Head, see func(Entry)) error {
	last := Head{}
	for last.N < head.N {
		page, err := q.Sealed(ctx, db.SealedParams{N: sql.NullInt64{Int64: last.N, Valid: true}, Limit: batch})
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if len(page) == 0 {
			return fmt.Errorf("the chain ends at %d of %d: %w", last.N, head.N, ErrTampered)
		}
		for _, r := range page {
			if last.N == head.N { // sealed since the head was read
				break
			}
			next := Head{N: last.N + 1, MAC: l.mac(last.MAC, last.N+1, r)}
			if r.N.Int64 != next.N || r.Mac.String != next.MAC {
				return fmt.Errorf("record %d is not the one that was sealed: %w", next.N, ErrTampered)
			}
			see(entryOf(r))
			last = next
		}
	}
	if last.MAC != head.MAC {
		return fmt.Errorf("the chain does not end at its head: %w", ErrTampered)
	}
	return nil
}

// mac chains a record to the one before it. Lengths keep the fields apart.
func (l *Log) mac(before string, n int64, r db.AuditRecord) string {
	var text strings.Builder
	for _, field := range []string{
		before, strconv.FormatInt(n, 10), r.ID, strconv.FormatInt(r.HappenedAt.UnixMicro(), 10),
		r.Actor, r.Action, r.Object, r.Subject, r.Purpose,
	} {
		text.WriteString(strconv.Itoa(len(field)))
		text.WriteByte(':')
		text.WriteString(field)
	}
	return l.hasher.Index(chainPurpose, text.String())
}

func (l *Log) own(h Head) string {
	return l.hasher.Index(headPurpose, strconv.FormatInt(h.N, 10)+":"+h.MAC)
}
