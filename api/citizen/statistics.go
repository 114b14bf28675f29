package citizen

import (
	"bytes"
	"context"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/platform/analytics"
)

// defaultDays is how far back the figures go when nothing is asked.
const defaultDays = 30

// Usage publishes the figures.
func (s *Server) Usage(ctx context.Context, r UsageRequestObject) (UsageResponseObject, error) {
	cells, err := s.usage(ctx, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	return Usage200JSONResponse(each(cells, func(c analytics.Cell) UsageCell {
		day, _ := time.Parse(time.DateOnly, c.Day) // it was formatted so
		return UsageCell{
			Day: openapi_types.Date{Time: day}, Service: c.Service, Channel: c.Channel, Outcome: c.Outcome,
			Suppressed: c.Suppressed, Count: optional(c.Count),
		}
	})), nil
}

// UsageCSV publishes the same figures as CSV.
func (s *Server) UsageCSV(ctx context.Context, r UsageCSVRequestObject) (UsageCSVResponseObject, error) {
	cells, err := s.usage(ctx, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := analytics.WriteCSV(&out, cells); err != nil {
		return nil, err
	}
	return UsageCSV200TextcsvResponse{Body: &out, ContentLength: int64(out.Len())}, nil
}

func (s *Server) usage(ctx context.Context, from, to *openapi_types.Date) ([]analytics.Cell, error) {
	last := who(ctx).Now
	if to != nil {
		last = inBishkek(to.Time)
	}
	first := last.AddDate(0, 0, -defaultDays)
	if from != nil {
		first = inBishkek(from.Time)
	}
	return s.Figures.Usage(ctx, first, last)
}

// inBishkek is the noon of a date as its day is counted here.
func inBishkek(d time.Time) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), 12, 0, 0, 0, analytics.Bishkek)
}
