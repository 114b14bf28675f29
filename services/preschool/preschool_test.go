package preschool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

func TestRegisterAndPosition(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		made := enrol(t, s, c, "K01", "K02", "K12")
		if made.State != StateWaiting || made.Group != "3-4" || len(made.Places) != 3 || made.Places[2].Kindergarten != "K12" {
			t.Fatalf("registered as %+v", made)
		}
		again := enrol(t, s, c, "K01", "K02", "K12")
		if again.Number != made.Number {
			t.Errorf("the turn repeated gave %s, then %s", made.Number, again.Number)
		}
		spaced := made.Number[:4] + " " + made.Number[4:]
		seen, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, spaced)
		if err != nil || seen.Places[0].Position != 1 {
			t.Errorf("anybody sees %+v, %v", seen, err)
		}
		messages := w.messages()
		if len(messages) != 1 || !strings.Contains(messages[0].Text, made.Number) || messages[0].To != aigulPhone {
			t.Errorf("sent %+v", messages)
		}
	})
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		old := w.bear(1, start.AddDate(-8, 0, 0))
		ref := s.childIndex(nurai)[:refLength]
		enrol(t, s, c, "K01")
		other, anonymous := w.parent("t2"), w.parent("t3")
		anonymous.Subject = ""
		for what, test := range map[string]struct {
			caller  caller.Caller
			ref     string
			choices []string
			want    *problem.Error
		}{
			"anonymous":          {anonymous, ref, []string{"K01"}, problemProve},
			"a stranger's child": {w.bear(2, start.AddDate(-3, 0, 0)), ref, []string{"K01"}, problemChild},
			"no child":           {other, "", []string{"K01"}, problemChild},
			"too old":            {old, s.childIndex("20000000000001")[:refLength], []string{"K01"}, problemChild},
			"no choice":          {other, ref, nil, problemChoices},
			"four choices":       {other, ref, []string{"K01", "K02", "K03", "K04"}, problemChoices},
			"one twice":          {other, ref, []string{"K01", "K01"}, problemChoices},
			// A12: an unknown kindergarten is told from a wrong number of choices.
			"unknown":         {other, ref, []string{"K99"}, problemAbsent},
			"unknown, second": {other, ref, []string{"K01", "K99"}, problemAbsent},
			"unknown, twice":  {other, ref, []string{"K99", "K99"}, problemAbsent},
			"unknown, empty":  {other, ref, []string{""}, problemAbsent},
			"unknown, four":   {other, ref, []string{"K99", "K98", "K97", "K96"}, problemChoices},
			"the turn reused": {c, ref, []string{"K02"}, problemRepeated},
			"in the queue":    {other, ref, []string{"K02"}, problem.New(problem.Conflict, "problem.preschool_registered")},
		} {
			if _, err := s.Register(t.Context(), test.caller, test.ref, test.choices); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestRegisterAtOnce has many requests for one child, half of them in one turn:
// one registration comes of it.
func TestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		ref := s.childIndex(nurai)[:refLength]
		var mu sync.Mutex
		numbers := map[string]int{}
		atOnce(t, 32, func(i int) error {
			turn := "same"
			if i%2 == 1 {
				turn = fmt.Sprintf("turn-%d", i)
			}
			made, err := s.Register(t.Context(), w.parent(turn), ref, []string{"K01"})
			if p := problem.From(err); err != nil && p.Key == "problem.preschool_registered" {
				return nil
			} else if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			numbers[made.Number]++
			return nil
		})
		if len(numbers) != 1 || len(w.messages()) != 1 {
			t.Errorf("%d numbers, %d messages", len(numbers), len(w.messages()))
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations"); n != 1 {
			t.Errorf("%d registrations", n)
		}
	})
}

// TestSealed holds that nothing stored leads to the child or the phone.
func TestSealed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		enrol(t, s, w.parent("t1"), "K01")
		var child, phone []byte
		var index string
		err := db.Reader().QueryRow("SELECT child, phone, child_index FROM preschool_registrations").Scan(&child, &phone, &index)
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range []string{string(child), string(phone), index} {
			if strings.Contains(column, nurai) || strings.Contains(column, aigulPhone) || strings.Contains(column, "Нурай") {
				t.Errorf("a column holds personal data in the clear")
			}
		}
	})
}

func TestBenefitMovesTheQueue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		born := time.Date(2023, time.March, 1, 0, 0, 0, 0, time.UTC)
		first := enrol(t, s, w.bear(1, born), "K01")
		w.Pass(time.Minute)
		second := enrol(t, s, w.bear(2, born), "K01")
		older := enrol(t, s, w.bear(3, born.AddDate(-2, 0, 0)), "K01")
		expect := func(p Position, want int) {
			t.Helper()
			got, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, p.Number)
			if err != nil || got.Places[0].Position != want {
				t.Errorf("at %+v, not %d (%v)", got, want, err)
			}
		}
		expect(first, 1)
		expect(second, 2)
		expect(older, 1)
		if err := s.SetBenefit(t.Context(), "officer", second.Number, "large_family"); err != nil {
			t.Fatal(err)
		}
		expect(first, 2)
		expect(second, 1)
		if err := s.SetBenefit(t.Context(), "officer", second.Number, ""); err != nil {
			t.Fatal(err)
		}
		expect(second, 2)
		if err := s.SetBenefit(t.Context(), "officer", second.Number, "luck"); !errors.Is(err, problemBenefit) {
			t.Errorf("an unknown benefit: %v", err)
		}
	})
}

func TestImportWaiting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		rows := make([]Waiting, 600)
		for i := range rows {
			rows[i] = Waiting{
				Minor:  Minor{PIN: fmt.Sprintf("1%013d", i), Name: "Бала", Born: time.Date(2023, time.May, 1, 0, 0, 0, 0, time.UTC)},
				Locale: "ky", Choices: []string{"K01", "K02"}, Since: start.AddDate(0, -1, 0).Add(time.Duration(i) * time.Second),
			}
		}
		rows[7].Benefit = "orphan"
		if n, err := s.ImportWaiting(t.Context(), rows[:300]); n != 300 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := s.ImportWaiting(t.Context(), rows); n != 300 || err != nil {
			t.Fatal("again:", n, err)
		}
		made := enrol(t, s, w.parent("t1"), "K02", "K03")
		if made.Places[0].Position != 601 || made.Places[1].Position != 1 {
			t.Errorf("behind 600: %+v", made.Places)
		}
		if len(w.messages()) != 1 {
			t.Error("an import sent messages")
		}
	})
}

// TestPositionUsesTheIndex holds that a position is a count over a range of the
// index on both engines, not over the table.
func TestPositionUsesTheIndex(t *testing.T) {
	t.Parallel()
	query := `SELECT (SELECT count(*) FROM preschool_choices other
		WHERE other.kindergarten = me.kindergarten AND other.cohort = me.cohort AND other.queued = TRUE
		AND (other.benefit_rank, other.queued_at) < (me.benefit_rank, me.queued_at))
		FROM preschool_choices me WHERE me.registration_id = 'x'`
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		explain := "EXPLAIN QUERY PLAN "
		if db.Engine() == store.PostgreSQL {
			explain = "EXPLAIN (COSTS OFF) "
			w := newWorld(t, db, 1)
			crowd(t, newService(t, w), 2000)
			if _, err := db.Writer().Exec("ANALYZE preschool_choices"); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := db.Reader().Query(explain + query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var line string
			columns := []any{&line}
			if db.Engine() == store.SQLite {
				columns = []any{&id, &parent, &unused, &line}
			}
			if err := rows.Scan(columns...); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "preschool_choices_order") {
			t.Errorf("the plan is\n%s", plan)
		}
	})
}

// crowd imports n children over the kindergartens.
func crowd(t testing.TB, s *Service, n int) {
	t.Helper()
	rows := make([]Waiting, n)
	for i := range rows {
		rows[i] = Waiting{
			Minor:   Minor{PIN: fmt.Sprintf("1%013d", i), Born: start.AddDate(-3, 0, -i%700)},
			Choices: []string{fmt.Sprintf("K%02d", i%12+1), fmt.Sprintf("K%02d", (i+5)%12+1)},
			Since:   start.Add(-time.Duration(i) * time.Minute),
		}
	}
	if _, err := s.ImportWaiting(context.Background(), rows); err != nil {
		t.Fatal(err)
	}
}

// atOnce runs n calls together and reports their errors.
func atOnce(t testing.TB, n int, call func(i int) error) {
	t.Helper()
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gate
			if err := call(i); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	close(gate)
	wg.Wait()
}

func count(t testing.TB, db *store.DB, query string) int {
	t.Helper()
	n := 0
	if err := db.Reader().QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
