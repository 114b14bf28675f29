package audit

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit/db"
)

// A record that is not sealed yet carries a mark in the place of its chained hash:
// a keyed hash over itself alone. Without it, whoever can write to the database
// could add records between two seals and have a server seal them.
//
// Logs that were begun before there were marks have a head of the older purpose.
// The first Seal takes their unmarked records in, once, and gives the head the
// newer purpose: from then on a record without a mark is nobody's.

// Tail is what of the log has no place in the chain yet.
type Tail struct {
	Records int
	Since   time.Time // of the oldest; zero without records
	// Unmarked of the records are of a log that was begun before there were marks.
	Unmarked int
}

// strangersNamed is how many records that are not ours an error names.
const strangersNamed = 20

// strangers gathers records that were not written by us.
type strangers struct {
	n     int
	found []error
}

func (s *strangers) add(r db.AuditRecord) {
	s.n++
	if len(s.found) < strangersNamed {
		s.found = append(s.found, fmt.Errorf("the unsealed record %s (%s of %s, %s) was not written by us: %w",
			r.ID, r.Action, r.Object, r.HappenedAt.UTC().Format(time.RFC3339), ErrTampered))
	}
}

func (s *strangers) err() error {
	if more := s.n - len(s.found); more > 0 {
		return errors.Join(append(s.found, fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(s.found...)
}

// mark is the keyed hash of a record alone.
func (l *Log) mark(r db.AuditRecord) string { return l.hasher.Index(markPurpose, text(r)) }

// ours reports that we wrote an unsealed record. older says that the log has
// unmarked ones.
func (l *Log) ours(r db.AuditRecord, older bool) bool {
	if !r.Mac.Valid {
		return older
	}
	return hmac.Equal([]byte(r.Mac.String), []byte(l.mark(r)))
}

// older reports that a head is of a log without marks, and whether the head is ours
// at all.
func (l *Log) older(h Head, own string) (older, genuine bool) {
	if own == l.own(h) {
		return false, true
	}
	return true, own == l.hasher.Index(olderHeadPurpose, headText(h))
}

// tail gives the records that have no place in the chain yet, but for those that
// are not ours: an error names them.
func (l *Log) tail(ctx context.Context, q *db.Queries, older bool, see func(Recorded)) (Tail, error) {
	var tail Tail
	var foreign strangers
	after := ""
	for {
		page, err := q.UnsealedAfter(ctx, db.UnsealedAfterParams{ID: after, Limit: batch})
		if err != nil {
			return Tail{}, fmt.Errorf("read the audit log: %w", err)
		}
		for _, r := range page {
			after = r.ID
			if !l.ours(r, older) {
				foreign.add(r)
				continue
			}
			tail.add(r)
			see(recorded(r))
		}
		if len(page) < batch {
			return tail, foreign.err()
		}
	}
}

func (t *Tail) add(r db.AuditRecord) {
	t.Records++
	if !r.Mac.Valid {
		t.Unmarked++
	}
	if t.Since.IsZero() || r.HappenedAt.Before(t.Since) {
		t.Since = r.HappenedAt.Time
	}
}

// text is a record as one string. Lengths keep the fields apart. A record that
// decided nothing reads as it did before there were digests.
func text(r db.AuditRecord) string {
	text := joined(r.ID, strconv.FormatInt(r.HappenedAt.UnixMicro(), 10), r.Actor, r.Action, r.Object, r.Subject, r.Purpose)
	if r.Decided == "" {
		return text
	}
	return text + joined(r.Decided)
}

func joined(fields ...string) string {
	var text strings.Builder
	for _, field := range fields {
		text.WriteString(strconv.Itoa(len(field)))
		text.WriteByte(':')
		text.WriteString(field)
	}
	return text.String()
}

func headText(h Head) string { return strconv.FormatInt(h.N, 10) + ":" + h.MAC }

// valid makes a column that is not NULL.
func valid(text string) sql.NullString { return sql.NullString{String: text, Valid: true} }
