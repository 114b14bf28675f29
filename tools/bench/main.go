// Command bench measures the rows of the speed table, each beside a control in
// the same run: machines differ, ratios less. It prints a table, appends one
// line of JSON per row to var/bench.jsonl, and ends with exit code 1 when a row
// misses what it should reach. `make bench` gives it PostgreSQL, with fsync on,
// and Redis.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	Row   string  `json:"row"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Control is the rival's figure of the same run; 0 where the target is
	// absolute.
	Control float64 `json:"control"`
	Ratio   float64 `json:"ratio"`
	Pass    bool    `json:"pass"`
	// Note says what else was counted.
	Note string `json:"note,omitempty"`
}

// measures are the rows in order.
var measures = []struct {
	name    string
	target  string
	measure func(ctx context.Context, s settings) (row, error)
}{
	{"dialogue_step", "<= 10 µs CPU and <= 30 allocations", measureStep},
	{"ussd_http", ">= 0.8 of a bare handler with one GET and one SET", measureUSSD},
	{"sms_inbound", ">= 3 100 messages/s, ten times the field's gateway", measureSMS},
	{"allocation", "<= 1 s CPU for 120 000 children, 2 344 kindergartens, 3 wishes each", measureAllocation},
	{"issue", "<= 25 ms CPU with PDF and signature", measureIssue},
}

// settings are what a measurement stands on.
type settings struct {
	postgres, redis string // addresses
	rounds          int
	span            time.Duration // of one round
	folder          string        // for the programs and their data
}

func main() {
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		if err := children[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	passed, err := run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !passed {
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// run measures what is asked for.
func run(ctx context.Context) (passed bool, err error) {
	only := flag.String("rows", "", "rows to measure, comma-separated; all when empty")
	span := flag.Duration("span", 4*time.Second, "length of one round")
	rounds := flag.Int("rounds", 5, "rounds of each side, in turns; the median counts")
	out := flag.String("out", "var/bench.jsonl", "file that the rows are appended to")
	flag.Parse()
	s := settings{
		postgres: os.Getenv("ESHIK_TEST_POSTGRES"), redis: os.Getenv("ESHIK_TEST_REDIS"), rounds: *rounds, span: *span,
	}
	if s.postgres == "" || s.redis == "" {
		return false, errors.New("run it with `make bench`, which starts PostgreSQL and Redis")
	}
	if s.folder, err = os.MkdirTemp("", "eshik-bench-"); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.folder)) }()
	var rows []row
	for _, m := range measures {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", m.name)
		r, err := m.measure(ctx, s)
		if err != nil {
			return false, fmt.Errorf("%s: %w", m.name, err)
		}
		r.Row = m.name
		rows = append(rows, r)
	}
	return print(rows), keep(*out, rows)
}

// print writes the table.
func print(rows []row) (passed bool) {
	passed = true
	fmt.Printf("%-14s %12s %-14s %10s %7s  %-5s %s\n", "row", "value", "unit", "control", "ratio", "pass", "to reach")
	for _, r := range rows {
		target := ""
		for _, m := range measures {
			if m.name == r.Row {
				target = m.target
			}
		}
		fmt.Printf("%-14s %12.1f %-14s %10.1f %7.2f  %-5v %s\n", r.Row, r.Value, r.Unit, r.Control, r.Ratio, r.Pass, target)
		if r.Note != "" {
			fmt.Printf("%-14s %s\n", "", r.Note)
		}
		passed = passed && r.Pass
	}
	return passed
}

// keep appends the rows to a file.
func keep(path string, rows []row) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // #nosec G304 -- the caller's own choice
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	for _, r := range rows {
		err = errors.Join(err, encoder.Encode(r))
	}
	return errors.Join(err, file.Close())
}

// median is the middle of some figures.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}
