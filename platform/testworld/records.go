package testworld

import (
	"context"
	"database/sql"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// TrailBy is the trail with records as an auditor writes them.
func (w *World) TrailBy(auditor trail.Auditor) *trail.Trail {
	w.T.Helper()
	made, err := trail.New(auditor, w.Recorder, w.told)
	w.OK(err)
	return made
}

// Forgetful is an audit log from before records said what was decided.
type Forgetful struct{ *audit.Log }

// Record implements trail.Auditor.
func (f Forgetful) Record(ctx context.Context, tx *store.Tx, e audit.Entry) error {
	e.Decided = nil
	return f.Log.Record(ctx, tx, e)
}

// Check is a module.Check: one comparison of what is kept with the audit log.
type Check interface {
	See(e audit.Recorded)
	Older() int
	Run(ctx context.Context, tx *sql.Tx) error
}

// Compare does a check as `eshik fsck` does, in one transaction. It gives how many records
// are too old to be compared, and what was found.
func (w *World) Compare(tx *sql.Tx, c Check) (older int, err error) {
	if _, err := w.Audit.Replay(w.T.Context(), tx, c.See); err != nil {
		return 0, err
	}
	err = c.Run(w.T.Context(), tx)
	return c.Older(), err
}

// person is a subject of a record that is a citizen; phones have blind indexes, of other letters.
var person = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-`)

// worded fails a test in which something was recorded of a person that no text tells
// them of: people are shown every record of their data.
func (w *World) worded() {
	ctx := context.WithoutCancel(w.T.Context())
	rows, err := w.DB.Reader().QueryContext(ctx, "SELECT DISTINCT action, subject FROM audit_records")
	if err != nil && strings.Contains(err.Error(), "database is closed") {
		return // by the test
	}
	w.OK(err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var action, subject string
		w.OK(rows.Scan(&action, &subject))
		if person.MatchString(subject) && !w.Texts.Has(audit.Wording(action)) {
			w.T.Errorf("the audit log says %q of a person, and no text tells them what that is: add %q to the locale files", action, audit.Wording(action))
		}
	}
	w.OK(rows.Err())
}
