// Package audit is the tamper-evident log: who did what, to whose data, why.
//
// A record is written in the transaction of what it tells about, so neither is
// there without the other, and no writer waits for another. Seal then takes the
// records that are committed and bear our mark, gives them their place in a chain and a keyed hash
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
	"sync/atomic"
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
	chainPurpose     = "audit.chain"
	markPurpose      = "audit.mark"
	headPurpose      = "audit.head.marked"
	olderHeadPurpose = "audit.head"
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
	// Decided is what the step fixed; the log keeps a keyed digest of each group.
	Decided []*Group
	// Was are those groups of Decided that the step changed, as it read them in its
	// transaction before; empty and not nil where it changed none. A step that changes a
	// row gives it, so that whoever had changed the row before is found. Nil: nothing is said.
	Was []*Group
}

// Hasher gives keyed hashes, and sealed values as they were sealed first; a seal.Sealer is
// one.
type Hasher interface {
	Index(purpose, value string) string
	First(sealed []byte) ([]byte, error)
}

// Log is the audit log. It is safe for concurrent use.
type Log struct {
	db     *store.DB
	hasher Hasher
	wrote  atomic.Bool
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
	row := db.AuditRecord{
		ID: id.String(), HappenedAt: dbtime.From(e.At), Actor: e.Actor, Action: e.Action,
		Object: e.Object, Subject: e.Subject, Purpose: e.Purpose, Decided: l.decided(e),
	}
	err = db.New(tx).Record(ctx, db.RecordParams{
		ID: row.ID, HappenedAt: row.HappenedAt, Actor: row.Actor, Action: row.Action,
		Object: row.Object, Subject: row.Subject, Purpose: row.Purpose, Mac: valid(l.mark(row)), Decided: row.Decided,
	})
	if err != nil {
		return fmt.Errorf("write an audit record: %w", err)
	}
	l.wrote.Store(true)
	return nil
}

// SealOwn is Seal for a process that ends: nothing, where it wrote no record. What it leaves
// unsealed whoever writes to the database takes away unseen until some process seals.
func (l *Log) SealOwn(ctx context.Context) error {
	if !l.wrote.Load() {
		return nil
	}
	_, err := l.Seal(ctx)
	return err
}

// Seal chains all committed records that are not chained yet and returns the
// new head. Call it every few seconds, from any number of processes. Records that
// we did not write are left out and named in an error that wraps ErrTampered.
func (l *Log) Seal(ctx context.Context) (Head, error) {
	var foreign strangers
	after := ""
	for {
		var head Head
		var page sealPage
		err := l.db.InTx(ctx, func(tx *store.Tx) (err error) {
			head, page, err = l.sealBatch(ctx, db.New(tx), after)
			return err
		})
		if errors.Is(err, errOvertaken) {
			continue
		}
		if err != nil {
			return Head{}, fmt.Errorf("seal the audit log: %w", err)
		}
		for _, r := range page.foreign {
			foreign.add(r)
		}
		if page.read < batch {
			return head, foreign.err()
		}
		after = page.last
	}
}

// sealPage is a stretch of the records that were not sealed.
type sealPage struct {
	read    int
	last    string // the last one's id
	foreign []db.AuditRecord
}

func (l *Log) sealBatch(ctx context.Context, q *db.Queries, after string) (Head, sealPage, error) {
	last, older, err := l.head(ctx, q)
	if err != nil {
		return Head{}, sealPage{}, err
	}
	unsealed, err := q.UnsealedAfter(ctx, db.UnsealedAfterParams{ID: after, Limit: batch})
	if err != nil {
		return Head{}, sealPage{}, err
	}
	page := sealPage{read: len(unsealed)}
	var records []db.AuditRecord
	for _, r := range unsealed {
		page.last = r.ID
		if l.ours(r, older) {
			records = append(records, r)
		} else {
			page.foreign = append(page.foreign, r)
		}
	}
	// The head of an older log stays as it is until all that it had is sealed.
	keep := older && page.read == batch
	if len(records) == 0 && (keep || !older) {
		return last, page, nil
	}
	head, err := l.chain(ctx, q, last, records, keep)
	return head, page, err
}

// chain puts records behind the last one. olderHead keeps the head's older purpose.
func (l *Log) chain(ctx context.Context, q *db.Queries, last Head, records []db.AuditRecord, olderHead bool) (Head, error) {
	head := last
	macs := make([]string, len(records))
	for i, r := range records {
		head = Head{N: head.N + 1, MAC: l.mac(head.MAC, head.N+1, r)}
		macs[i] = head.MAC
	}
	// The head moves first: it is the lock between processes that seal.
	own := l.own(head)
	if olderHead {
		own = l.hasher.Index(olderHeadPurpose, headText(head))
	}
	moved, err := q.MoveHead(ctx, db.MoveHeadParams{N: head.N, Mac: head.MAC, Own: own, N_2: last.N})
	if err != nil {
		return Head{}, err
	}
	if moved == 0 {
		return Head{}, errOvertaken
	}
	for i, r := range records {
		n, err := q.SealRecord(ctx, db.SealRecordParams{
			N:   sql.NullInt64{Int64: last.N + int64(i) + 1, Valid: true},
			Mac: valid(macs[i]),
			ID:  r.ID,
		})
		if err != nil {
			return Head{}, err
		}
		if n == 0 {
			return Head{}, errOvertaken
		}
	}
	return head, nil
}

// head reads the end of the chain and makes it when there is none yet, and reports
// whether it is of a log without marks. A forged head is not built upon.
func (l *Log) head(ctx context.Context, q *db.Queries) (Head, bool, error) {
	start := Head{}
	if err := q.StartHead(ctx, db.StartHeadParams{N: start.N, Mac: start.MAC, Own: l.own(start)}); err != nil {
		return Head{}, false, err
	}
	row, err := q.Head(ctx)
	if err != nil {
		return Head{}, false, err
	}
	head := Head{N: row.N, MAC: row.Mac}
	older, genuine := l.older(head, row.Own)
	if !genuine {
		return Head{}, false, fmt.Errorf("the head is forged: %w", ErrTampered)
	}
	return head, older, nil
}

// Verify walks the whole chain and what is to follow it. It returns an error that
// wraps ErrTampered and names the first place of the chain that is wrong, and the
// records behind it that we did not write.
func (l *Log) Verify(ctx context.Context) error {
	return l.db.Snapshot(ctx, func(tx *sql.Tx) error {
		_, err := l.Replay(ctx, tx, func(Recorded) {})
		return err
	})
}

// Replay is Verify within a snapshot of the database, and gives every record to see
// in the order of the chain, then those that are not sealed yet.
func (l *Log) Replay(ctx context.Context, tx *sql.Tx, see func(Recorded)) (Tail, error) {
	q, older := db.New(tx), false
	end, err := q.Ends(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = l.verifyEmpty(ctx, q)
	case err != nil:
		return Tail{}, fmt.Errorf("read the head of the audit log: %w", err)
	default:
		head := Head{N: end.N, MAC: end.Mac}
		var genuine bool
		older, genuine = l.older(head, end.Own)
		switch {
		case !genuine:
			err = fmt.Errorf("the head is forged: %w", ErrTampered)
		case end.Sealed != head.N:
			err = fmt.Errorf("%d records are sealed, the head says %d: %w", end.Sealed, head.N, ErrTampered)
		default:
			err = l.verifyChain(ctx, q, head, see)
		}
	}
	if err != nil {
		return Tail{}, err
	}
	return l.tail(ctx, q, older, see)
}

func recorded(r db.AuditRecord) Recorded {
	e := Entry{At: r.HappenedAt.Time, Actor: r.Actor, Action: r.Action, Object: r.Object, Subject: r.Subject, Purpose: r.Purpose}
	return Recorded{Entry: e, ID: r.ID, decided: r.Decided}
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

func (l *Log) verifyChain(ctx context.Context, q *db.Queries, head Head, see func(Recorded)) error {
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
			see(recorded(r))
			last = next
		}
	}
	if last.MAC != head.MAC {
		return fmt.Errorf("the chain does not end at its head: %w", ErrTampered)
	}
	return nil
}

// mac chains a record to the one before it.
func (l *Log) mac(before string, n int64, r db.AuditRecord) string {
	return l.hasher.Index(chainPurpose, joined(before, strconv.FormatInt(n, 10))+text(r))
}

func (l *Log) own(h Head) string { return l.hasher.Index(headPurpose, headText(h)) }
