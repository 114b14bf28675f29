package audit

import (
	"fmt"
	"maps"
	"slices"
)

// Kind is a kind of rows of which the log says what each is.
type Kind struct {
	// What the rows are called in findings: "linked car".
	What  string
	Group string // that says what a row is
	// Erased is the action after which there is no row, Ended that after which there may be none;
	// empty: none is.
	Erased, Ended string
}

// Rows compares the rows of a kind with the log. Give it the log's records by See, then each row
// by Fits; then Gone, and Wrong is what was found.
type Rows struct {
	kind  Kind
	log   *Log
	said  map[string]Said // by the row's id: the last word
	over  map[string]bool // may be gone
	seen  map[string]bool
	wrong []error
}

// NewRows makes a comparison of a kind's rows with a log.
func NewRows(log *Log, kind Kind) *Rows {
	return &Rows{kind: kind, log: log, said: map[string]Said{}, over: map[string]bool{}, seen: map[string]bool{}}
}

// See takes a record of the log.
func (k *Rows) See(r Recorded) {
	if k.kind.Erased != "" && r.Action == k.kind.Erased {
		delete(k.said, r.Object)
		return
	}
	for group, said := range r.Says() {
		if group != k.kind.Group {
			continue
		}
		if err := r.Break(k.kind.What, group, k.said[r.Object]); err != nil {
			k.wrong = append(k.wrong, err)
		}
		k.said[r.Object] = said
		k.over[r.Object] = k.kind.Ended != "" && r.Action == k.kind.Ended
	}
}

// Fits takes a row and what it says.
func (k *Rows) Fits(id string, is *Group) {
	k.seen[id] = true
	switch said, known := k.said[id]; {
	case !known:
		k.wrong = append(k.wrong, fmt.Errorf("the audit log knows nothing of the %s %s", k.kind.What, id))
	case !k.log.Fits(said, id, is):
		k.wrong = append(k.wrong, fmt.Errorf("the %s %s is otherwise than the audit record %s says", k.kind.What, id, said.Record()))
	}
}

// Gone names what the log says of rows that Fits was not given.
func (k *Rows) Gone() {
	for _, id := range slices.Sorted(maps.Keys(k.said)) {
		if !k.seen[id] && !k.over[id] {
			k.wrong = append(k.wrong, fmt.Errorf("the %s %s is gone: the audit log says that it is there", k.kind.What, id))
		}
	}
}

// Wrong are the findings.
func (k *Rows) Wrong() []error { return k.wrong }

// Break is an error if the record does not follow what the record before said of a group: the row,
// called what, was changed between the two by somebody who wrote no record.
func (r Recorded) Break(what, group string, before Said) error {
	if r.Follows(group, before) {
		return nil
	}
	return fmt.Errorf("the %s %s was changed between the audit records %s and %s", what, r.Object, before.Record(), r.ID)
}
