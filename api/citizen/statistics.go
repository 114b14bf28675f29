package citizen

import (
	"bytes"
	"context"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
)

const (
	// defaultDays is how far back the figures go when nothing is asked.
	defaultDays = 30
	// maxDays is the most days, both ends counted, that are given at once.
	maxDays = 366
)

var (
	errOrder = problem.New(problem.Invalid, "problem.usage_order")
	errSpan  = problem.New(problem.Invalid, "problem.usage_span", "n", maxDays)
)

// Usage publishes the figures.
func (s *Server) Usage(ctx context.Context, r UsageRequestObject) (UsageResponseObject, error) {
	cells, err := s.usage(ctx, who(ctx).Now, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	return Usage200JSONResponse(api.Each(cells, func(c analytics.Cell) UsageCell {
		day, _ := time.Parse(time.DateOnly, c.Day) // it was formatted so
		return UsageCell{
			Day: openapi_types.Date{Time: day}, Service: c.Service, Channel: c.Channel, Outcome: c.Outcome,
			Suppressed: c.Suppressed, Count: api.Optional(c.Count),
		}
	})), nil
}

// UsageCSV publishes the same figures as CSV.
func (s *Server) UsageCSV(ctx context.Context, r UsageCSVRequestObject) (UsageCSVResponseObject, error) {
	cells, err := s.usage(ctx, who(ctx).Now, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := analytics.WriteCSV(&out, cells); err != nil {
		return nil, err
	}
	return UsageCSV200TextcsvResponse{
		Body: &out, ContentLength: int64(out.Len()),
		Headers: UsageCSV200ResponseHeaders{ContentDisposition: api.Attachment("eshik-usage.csv")},
	}, nil
}

func (s *Server) usage(ctx context.Context, now time.Time, from, to *openapi_types.Date) ([]analytics.Cell, error) {
	last := now
	if to != nil {
		last = clock.Noon(to.Time)
	}
	first := last.AddDate(0, 0, -defaultDays)
	if from != nil {
		first = clock.Noon(from.Time)
	}
	switch {
	case clock.Date(first).After(clock.Date(last)):
		return nil, errOrder
	case clock.Date(last).Sub(clock.Date(first)) >= maxDays*24*time.Hour:
		return nil, errSpan
	}
	return s.Figures.Usage(ctx, first, last)
}
