package preschool

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/preschool/allocation/replay"
)

// replayed reads the public file of an allocation and computes it anew.
func replayed(t *testing.T, s *Service, n int64) (text string, f replay.File, r replay.Report) {
	t.Helper()
	file, err := s.ReplayFile(t.Context(), n)
	testworld.OK(t, err)
	f, err = replay.Read(bytes.NewReader(file))
	testworld.OK(t, err)
	r, err = replay.Compare(f)
	testworld.OK(t, err)
	return string(file), f, r
}

// TestReplayFile: what was decided is computed anew from the public file, by any rules; the file
// names nobody, links no two allocations, and its digest is in the audit log.
func TestReplayFile(t *testing.T) {
	t.Parallel()
	for _, openEvery := range []int{0, 2} {
		t.Run(fmt.Sprint("open every ", openEvery), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 0)
				w.seatsOnly(3, 2)
				s := newService(t, w)
				s.rules.Policies[0].OpenEvery = openEvery
				_, err := s.ImportWaiting(t.Context(), waiting(20))
				testworld.OK(t, err)
				numbers := threes(t, s, w, 6, "K02", "K01")
				testworld.OK(t, s.SetBenefit(t.Context(), "officer", numbers[5], "orphan"))
				_, err = s.ReplayFile(t.Context(), 1)
				testworld.Refused(t, err, "problem.preschool_replay")
				_, err = s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
				testworld.OK(t, err)
				text, f, r := replayed(t, s, 1)
				if said := r.Say(f); !r.Same() || !strings.Contains(said, "26 children asked for places in 2 groups, 5 were given one") {
					t.Error(said)
				}
				namesNobody(t, db, text)
				list, err := s.Replays(t.Context())
				testworld.OK(t, err)
				if len(list) != 1 || list[0].Digest != f.Computed || list[0].Seed != f.Header.Seed || list[0].Placed != 5 {
					t.Errorf("listed as %+v", list)
				}
				if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.allocate' AND purpose LIKE '%"+f.Computed+"%'"); n != 1 {
					t.Error("the audit log does not say the file's digest")
				}
				w.seatsOnly(5, 2)
				_, err = s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
				testworld.OK(t, err)
				_, next, r := replayed(t, s, 2)
				if !r.Same() {
					t.Error(r.Say(next))
				}
				for _, row := range next.Rows {
					if strings.Contains(text, row.Lot) {
						t.Errorf("the lot %s is in two files", row.Lot)
					}
				}
				testworld.OK(t, w.checked())
			})
		})
	}
}

// namesNobody fails where a public file holds what is kept of a registration.
func namesNobody(t *testing.T, db *store.DB, text string) {
	t.Helper()
	rows, err := db.Reader().Query("SELECT r.id, r.number, r.child_index, CAST(r.queued_at AS TEXT), c.tie, c.mac FROM preschool_run_children c " +
		"JOIN preschool_registrations r ON r.id = c.registration_id")
	testworld.OK(t, err)
	defer func() { _ = rows.Close() }()
	seen := 0
	for ; rows.Next(); seen++ {
		var kept [6]string
		testworld.OK(t, rows.Scan(&kept[0], &kept[1], &kept[2], &kept[3], &kept[4], &kept[5]))
		for _, value := range kept {
			if strings.Contains(text, value) {
				t.Errorf("the public file holds %q", value)
			}
		}
	}
	if testworld.OK(t, rows.Err()); seen == 0 || strings.Contains(text, "rank") || strings.Contains(text, "orphan") {
		t.Errorf("%d rows were looked for in %s", seen, text)
	}
}

// TestOneFindsOnesRow: the parent who is proved has the child's key, with which the row is found in
// each file; who knows the number has not.
func TestOneFindsOnesRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(1)
		s := newService(t, w)
		threes(t, s, w, 1, "K01")
		w.Pass(time.Minute)
		parent := w.bear(9, time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC))
		made := enrol(t, s, parent, "K01")
		_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		own, err := s.Registrations(t.Context(), parent)
		testworld.OK(t, err)
		_, f, _ := replayed(t, s, 1)
		row, wishes, found := f.Find(own[0].Key)
		if !found || row.Order != 2 || row.Place != nil || len(wishes) != 1 || wishes[0].Given != 1 || wishes[0].Before != 1 {
			t.Errorf("the row of the second child is %+v, %+v, %v", row, wishes, found)
		}
		seen, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, made.Number)
		if err != nil || seen.Key != "" || made.Key != "" {
			t.Errorf("who knows the number is told the key: %+v, %v", seen, err)
		}
	})
}

// TestReplayOfChangedRows: rows that are not those which were published are not given out.
func TestReplayOfChangedRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(1)
		s := newService(t, w)
		threes(t, s, w, 2, "K01")
		_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		_, err = db.Writer().Exec("UPDATE preschool_run_children SET place = -1 WHERE place = 0")
		testworld.OK(t, err)
		if _, err := s.ReplayFile(t.Context(), 1); err == nil {
			t.Error("a file of changed rows is given out")
		}
	})
}
