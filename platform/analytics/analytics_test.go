package analytics

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// lateEvening is the next day already in Bishkek.
var lateEvening = time.Date(2026, 3, 4, 19, 30, 0, 0, time.UTC)

func TestSmallCellsAreSuppressed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := NewRecorder(db, slog.New(slog.DiscardHandler))
		c := caller.Caller{Channel: caller.USSD, Operator: "O!", Locale: locales.KY, Now: lateEvening}
		for range Threshold {
			r.Later(Of(c, "fine", "fine.list", "done"))
		}
		for range Threshold - 1 {
			r.Later(Of(c, "fine", "fine.list", "abandoned"))
		}
		r.Close()
		cells, err := r.Usage(t.Context(), lateEvening, lateEvening)
		if err != nil {
			t.Fatal(err)
		}
		want := []Cell{
			{Day: "2026-03-05", Service: "fine", Channel: "ussd", Outcome: "abandoned", Suppressed: true},
			{Day: "2026-03-05", Service: "fine", Channel: "ussd", Outcome: "done", Count: Threshold},
		}
		if len(cells) != 2 || cells[0] != want[0] || cells[1] != want[1] {
			t.Fatalf("got %+v", cells)
		}
		var out strings.Builder
		if err := WriteCSV(&out, cells); err != nil {
			t.Fatal(err)
		}
		if out.String() != "day,service,channel,outcome,count\n2026-03-05,fine,ussd,abandoned,<10\n2026-03-05,fine,ussd,done,10\n" {
			t.Fatalf("got %q", out.String())
		}
	})
}

// TestFiguresAreOfBishkeksDays (A1): at both midnights of both zones, in the figures
// and in their CSV.
func TestFiguresAreOfBishkeksDays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := NewRecorder(db, slog.New(slog.DiscardHandler))
		first := time.Date(2026, 11, 28, 17, 59, 59, 0, time.UTC) // 23:59:59 of the 28th in Bishkek
		for _, at := range []time.Time{first, first.Add(time.Second), first.Add(6 * time.Hour), first.Add(6*time.Hour + time.Second)} {
			for range Threshold {
				r.Later(Of(caller.Caller{Channel: caller.USSD, Locale: locales.KY, Now: at}, "fine", "fine.list", "done"))
			}
		}
		r.Close()
		cells, err := r.Usage(t.Context(), first, first.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := WriteCSV(&out, cells); err != nil {
			t.Fatal(err)
		}
		const want = "day,service,channel,outcome,count\n2026-11-28,fine,ussd,done,10\n2026-11-29,fine,ussd,done,30\n"
		if out.String() != want {
			t.Errorf("got %q", out.String())
		}
	})
}

// What happens alike within a minute is one row, and nothing of it is lost.
func TestEqualEventsAreOneRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := NewRecorder(db, slog.New(slog.DiscardHandler))
		first := caller.Caller{Channel: caller.USSD, Operator: "O!", Locale: locales.KY, Now: lateEvening}
		second := first
		second.Now = lateEvening.Add(59 * time.Second)
		next := first
		next.Now = lateEvening.Add(time.Minute)
		for _, c := range []caller.Caller{first, second, next} {
			e := Of(c, "fine", "fine.list", "done")
			e.Duration = 1500 * time.Millisecond
			r.Later(e)
		}
		r.Close()
		rows, err := db.Reader().QueryContext(t.Context(), "SELECT happened_at, times, duration_ms FROM analytics_events ORDER BY happened_at")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var got [][3]int64
		for rows.Next() {
			var row [3]int64
			if err := rows.Scan(&row[0], &row[1], &row[2]); err != nil {
				t.Fatal(err)
			}
			got = append(got, row)
		}
		at := lateEvening.UnixMicro()
		if want := [][3]int64{{at, 2, 3000}, {at + 60_000_000, 1, 1500}}; rows.Err() != nil || !slices.Equal(got, want) {
			t.Fatalf("%v, got %v, want %v", rows.Err(), got, want)
		}
	})
}

// What cannot be written waits for a database that works, and what comes after the
// end is not counted.
func TestEventsWait(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		events := map[Event]tally{}
		r := &Recorder{db: db, log: slog.New(slog.DiscardHandler)}
		exec := func(query string) {
			t.Helper()
			if _, err := db.Writer().ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		count := func(n int) {
			for i := range n {
				add(events, Event{At: lateEvening, Step: strconv.Itoa(i)})
			}
		}
		exec("ALTER TABLE analytics_events RENAME TO away")
		count(maxKept)
		if r.flush(events); len(events) != maxKept {
			t.Errorf("%d rows wait", len(events))
		}
		count(maxKept + 1)
		if r.flush(events); len(events) != 0 {
			t.Errorf("%d rows wait, which are too many", len(events))
		}
		count(maxKept)
		exec("ALTER TABLE away RENAME TO analytics_events")
		r.flush(events)
		var rows int
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM analytics_events").Scan(&rows); err != nil || rows != maxKept || len(events) != 0 {
			t.Errorf("%d rows, %d wait, %v", rows, len(events), err)
		}
		closed := NewRecorder(db, r.log)
		closed.Close()
		closed.Later(Event{})
	})
}

func TestAnEventCountsOnlyWithItsTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := NewRecorder(db, slog.New(slog.DiscardHandler))
		defer r.Close()
		e := Of(caller.Caller{Channel: caller.SMS, Now: lateEvening}, "fine", "fine.paid", "done")
		_ = db.InTx(t.Context(), func(tx *store.Tx) error {
			if err := r.InTx(t.Context(), tx, e); err != nil {
				t.Error(err)
			}
			return context.Canceled
		})
		if cells, err := r.Usage(t.Context(), lateEvening, lateEvening); err != nil || len(cells) != 0 {
			t.Fatalf("%v, %+v", err, cells)
		}
	})
}

func TestRegions(t *testing.T) {
	t.Parallel()
	r, err := LoadRegions()
	if err != nil {
		t.Fatal(err)
	}
	for plate, want := range map[string]string{"01KG123ABC": "KG-GB", "06KG1234H": "KG-O", "B1234AB": "", "": "", "10KG123ABC": ""} {
		if got := r.OfPlate(plate); got != want {
			t.Errorf("%q is of %q", plate, got)
		}
	}
	for code, want := range map[string]string{"41711201000000": "KG-GB", "41702410000010": "KG-Y", "9": "", "99999": ""} {
		if got := r.OfSOATE(code); got != want {
			t.Errorf("%q is of %q", code, got)
		}
	}
}
