package preschool

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestRegistrationsAreOnesOwn (missing for apps): of the person, from whatever phone;
// a phone alone proves nothing (TestS2APhoneAloneProvesNothing).
func TestRegistrationsAreOnesOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		parent := w.parent("t1")
		made := enrol(t, s, parent, "K01")
		for name, c := range map[string]struct {
			caller caller.Caller
			want   int
		}{
			"the phone of then": {parent, 1},
			"another phone":     {caller.Caller{Phone: "+996700000002", Subject: parent.Subject, Level: caller.LevelStrong, Now: w.Now()}, 1},
			"stranger":          {caller.Caller{Phone: "+996700000002", Subject: "somebody else", Level: caller.LevelStrong, Now: w.Now()}, 0},
		} {
			list, err := s.Registrations(t.Context(), c.caller)
			if err != nil || len(list) != c.want || c.want > 0 && list[0].Number != made.Number {
				t.Errorf("%s: %+v, %v", name, list, err)
			}
		}
	})
}
