package clock

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDaysAreBishkeks (A1): a minute before and at midnight of both zones.
func TestDaysAreBishkeks(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]string{
		"2026-11-28T17:59:59Z": "2026-11-28", // 23:59:59 in Bishkek
		"2026-11-28T18:00:00Z": "2026-11-29", // 00:00 in Bishkek
		"2026-11-28T23:59:59Z": "2026-11-29", // 05:59:59 in Bishkek
		"2026-11-29T00:00:00Z": "2026-11-29", // 06:00 in Bishkek
		"2026-12-31T17:59:59Z": "2026-12-31",
		"2026-12-31T18:00:00Z": "2027-01-01",
		"2028-02-28T18:00:00Z": "2028-02-29",
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		for _, zone := range []*time.Location{time.UTC, Bishkek, time.FixedZone("", -5*60*60)} {
			local := at.In(zone)
			date, _ := time.Parse(time.DateOnly, want)
			if got := ISODay(local); got != want {
				t.Errorf("%s is %s, not %s", local, got, want)
			}
			if got := Day(local); got != date.Format("02.01.2006") || got != ShowDate(date) {
				t.Errorf("%s is shown as %s", local, got)
			}
			if got := Date(local); !got.Equal(date) || got.Location() != time.UTC {
				t.Errorf("the date of %s is %s", local, got)
			}
		}
	}
}

// TestNotBefore: the minute that is told is never before the moment, nor a minute after it.
func TestNotBefore(t *testing.T) {
	t.Parallel()
	minute := time.Date(2026, 11, 29, 17, 58, 0, 0, time.UTC)
	for past, want := range map[time.Duration]string{
		0: "29.11.2026 23:58", time.Nanosecond: "29.11.2026 23:59", 59 * time.Second: "29.11.2026 23:59",
		time.Minute: "29.11.2026 23:59", time.Minute + time.Nanosecond: "30.11.2026 00:00",
	} {
		for _, zone := range []*time.Location{time.UTC, Bishkek, time.FixedZone("", -5*60*60)} {
			if got := NotBefore(minute.Add(past).In(zone)); got != want {
				t.Errorf("%v past the minute it is %s, not %s", past, got, want)
			}
		}
	}
}

func TestADateKeepsItsDay(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	if got := Date(Noon(date)); !got.Equal(date) {
		t.Errorf("the noon of %s is of %s", date, got)
	}
}

// TestDaysAreMadeHere (A1): a day that is counted elsewhere is counted in another
// zone one day. The sandbox is the world outside, which has a calendar of its own.
func TestDaysAreMadeHere(t *testing.T) {
	t.Parallel()
	read := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if entry.IsDir() && (path == "../../var" || path == "../../platform/clock" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for _, own := range []string{`Format("02.01.2006`, `LoadLocation(`, `FixedZone(`, `Add(6 * time.Hour)`, `.Day(), 0, 0, 0, 0, clock.`} {
			if strings.Contains(string(source), own) {
				t.Errorf("%s has a calendar of its own (%s): use platform/clock", path, own)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("%d files read, %v", read, err)
	}
}

// TestLastDay (A17): the midnight that ends a day is not its own day's.
func TestLastDay(t *testing.T) {
	t.Parallel()
	for end, want := range map[string]string{
		"2026-12-02T18:00:00Z": "2026-12-02",
		"2026-12-02T18:00:01Z": "2026-12-03",
		"2026-12-02T17:59:59Z": "2026-12-02",
	} {
		at, err := time.Parse(time.RFC3339, end)
		if err != nil {
			t.Fatal(err)
		}
		if got := LastDay(at).Format(time.DateOnly); got != want {
			t.Errorf("what ends at %s has its last day on %s, not %s", end, got, want)
		}
	}
}

// TestDayBoundaries: where a day begins, and what is shown of it where there is little
// room, on both sides of midnight in Bishkek (18:00 UTC) and of the year.
func TestDayBoundaries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ at, now, midnight, short, second string }{
		{"2026-11-28T17:59:59Z", "2026-11-29T00:00:00Z", "2026-11-27T18:00:00Z", "28.11", "2026-11-28 23:59:59"},
		{"2026-11-28T18:00:00Z", "2026-11-29T00:00:00Z", "2026-11-28T18:00:00Z", "29.11", "2026-11-29 00:00:00"},
		{"2026-12-31T17:59:59Z", "2026-12-31T18:00:00Z", "2026-12-30T18:00:00Z", "31.12.26", "2026-12-31 23:59:59"},
		{"2026-12-31T18:00:00Z", "2027-01-01T00:00:00Z", "2026-12-31T18:00:00Z", "01.01", "2027-01-01 00:00:00"},
	} {
		at, err1 := time.Parse(time.RFC3339, c.at)
		now, err2 := time.Parse(time.RFC3339, c.now)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := Midnight(at).UTC().Format(time.RFC3339); got != c.midnight {
			t.Errorf("the day of %s began at %s, not %s", c.at, got, c.midnight)
		}
		if short, second := ShortDay(at, now), Second(at); short != c.short || second != c.second {
			t.Errorf("%s is %s and %s, not %s and %s", c.at, short, second, c.short, c.second)
		}
	}
}
