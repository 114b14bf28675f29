package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// OfSubject gives the records of one person's data, the newest first, and how many
// there are in all. An offset beyond them gives none.
func (l *Log) OfSubject(ctx context.Context, tx *store.Tx, subject string, offset, limit int) (list []Recorded, total int, err error) {
	q := db.New(tx)
	n, err := q.CountOfSubject(ctx, subject)
	if err != nil {
		return nil, 0, fmt.Errorf("count the records of a person: %w", err)
	}
	rows, err := q.OfSubject(ctx, db.OfSubjectParams{Subject: subject, Limit: int32(limit), Offset: int32(offset)})
	if err != nil {
		return nil, 0, fmt.Errorf("list the records of a person: %w", err)
	}
	list = make([]Recorded, len(rows))
	for i, r := range rows {
		list[i] = recorded(r)
	}
	return list, int(n), nil
}

// Seldom is a look at a person's data that is recorded once in a while, however often
// it is repeated: a record for every screen would bury all others.
const Seldom = time.Hour

// Look records, in a transaction of its own, that an actor looked at a person's data,
// unless the same one did so less than Seldom ago. Two looks at once may both be recorded.
func (l *Log) Look(ctx context.Context, e Entry) error {
	since := db.CountSinceParams{Subject: e.Subject, HappenedAt: dbtime.From(e.At.Add(-Seldom)), Action: e.Action, Actor: e.Actor}
	n, err := db.New(l.db.Reader()).CountSince(ctx, since) // no writer waits for what is recorded already
	if err != nil {
		return fmt.Errorf("look for the last record of a look: %w", err)
	}
	if n > 0 {
		return nil
	}
	return l.db.InTx(ctx, func(tx *store.Tx) error { return l.Record(ctx, tx, e) })
}

// Wording is the key of the text that says to the person what an action was. Whoever
// records an action with a person as its subject owns the text; testworld fails a test
// in which one is recorded that has none.
func Wording(action string) string { return "seen." + action }
