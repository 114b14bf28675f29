package analytics

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics/db"
	"github.com/eshik-kg/eshik/platform/clock"
)

// Threshold is the smallest count that is published: a cell below it could
// point to a person, and is suppressed.
const Threshold = 10

// Cell is one published figure: the uses of one service over one channel on one
// day that ended one way.
type Cell struct {
	Day     string // YYYY-MM-DD in Asia/Bishkek
	Service string
	Channel string
	Outcome string
	// Count is 0 when Suppressed: the true figure is between 1 and Threshold-1.
	Count      int64
	Suppressed bool
}

// Usage gives the figures of the days from first to last, both included.
func (r *Recorder) Usage(ctx context.Context, first, last time.Time) ([]Cell, error) {
	rows, err := db.New(r.db.Reader()).CountUse(ctx, db.CountUseParams{
		FirstDay: clock.ISODay(first), LastDay: clock.ISODay(last),
	})
	if err != nil {
		return nil, fmt.Errorf("count the use: %w", err)
	}
	cells := make([]Cell, 0, len(rows))
	for _, row := range rows {
		cell := Cell{Day: row.Day, Service: row.Service, Channel: row.Channel, Outcome: row.Outcome, Count: row.Uses}
		if cell.Count < Threshold {
			cell.Count, cell.Suppressed = 0, true
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// WriteCSV writes cells as RFC 4180 with a header; a suppressed count is "<10".
func WriteCSV(w io.Writer, cells []Cell) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"day", "service", "channel", "outcome", "count"}); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	for _, c := range cells {
		count := strconv.FormatInt(c.Count, 10)
		if c.Suppressed {
			count = "<" + strconv.Itoa(Threshold)
		}
		if err := out.Write([]string{c.Day, c.Service, c.Channel, c.Outcome, count}); err != nil {
			return fmt.Errorf("write the figures: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
