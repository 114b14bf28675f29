package replay

import (
	"fmt"
	"strings"
)

// Say says in plain words what a file is and what was found.
func (r Report) Say(f File) string {
	var out strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&out, format+"\n", args...) } // a builder takes all
	placed := 0
	for _, row := range f.Rows {
		if row.Place != nil {
			placed++
		}
	}
	say("The allocation %d, decided on %s for the intake of %d: %d children asked for places in %d groups, %d were given one.",
		f.Header.Allocation, f.Header.Decided, f.Header.Intake, len(f.Rows), len(f.Groups), placed)
	if r.Whole {
		say("SAME  The file is whole: its SHA-256 is as its last line says, %s. Compare it with the list of allocations and, with who keeps the audit log, with the record of the decision: who writes a file anew writes that line too.", f.Computed)
	} else {
		say("OTHER The file was changed: its SHA-256 is %s, its last line says %q.", f.Computed, f.Digest)
	}
	if r.Committed {
		say("SAME  The seed is the one whose SHA-256 the file says was recorded before: %s. Compare it as well.", f.Header.Commitment)
	} else {
		say("OTHER The seed is not the one whose SHA-256 the file says was recorded before: %s.", f.Header.Commitment)
	}
	if len(r.Other) == 0 {
		say("SAME  Computed anew, every child has the place that the file says.")
	}
	for i, row := range r.Other {
		if i == mostSaid {
			say("OTHER … and %d more.", len(r.Other)-mostSaid)
			break
		}
		say("OTHER Computed anew, the child with the lot %s has another place.", f.Rows[row].Lot)
	}
	if len(r.Faults) == 0 {
		say("SAME  Other code finds nobody passed over, no group too full and no seat left that somebody wants.")
	}
	for i, fault := range r.Faults {
		if i == mostSaid {
			say("OTHER … and %d more.", len(r.Faults)-mostSaid)
			break
		}
		say("OTHER Other code finds %s.", fault)
	}
	return out.String()
}

// mostSaid is how many findings of a kind are said one by one.
const mostSaid = 10

// SayOwn says how the wishes of the child with a key went.
func (f File) SayOwn(key string) string {
	row, wishes, found := f.Find(key)
	if !found {
		return "No child in this file has that key: it asked for no group that had a free seat, or it did not wait then.\n"
	}
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "Your child: lot %s, order %d among those of its age.\n", row.Lot, row.Order)
	for i, w := range wishes {
		said := fmt.Sprintf("%d places were given, %d of them to children who come before yours", w.Given, w.Before)
		switch {
		case w.Own:
			said = "the place that the allocation found for your child"
		case f.Header.OpenEvery > 0:
			said += " with benefits first; some seats go by the moment alone"
		}
		_, _ = fmt.Fprintf(&out, "  wish %d, %s, group %d-%d: %s.\n", i+1, w.Group.Kindergarten, w.Group.Age, w.Group.Age+1, said)
	}
	return out.String()
}
