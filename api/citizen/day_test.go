package citizen

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/preschool"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// shown is a value as it leaves in JSON.
func shown(t *testing.T, value any) string {
	t.Helper()
	out, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestDatesAreBishkeks (A1): at both midnights of both zones.
func TestDatesAreBishkeks(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Texts: texts}
	for at, want := range map[string]string{
		"2026-11-28T17:59:59Z": "2026-11-28", "2026-11-28T18:00:00Z": "2026-11-29",
		"2026-11-28T23:59:59Z": "2026-11-29", "2026-11-29T00:00:00Z": "2026-11-29",
	} {
		view := certificate.View{Kind: certificate.Residential, IssuedAt: moment(t, at)}
		if got := shown(t, s.verification(view, locales.KY)); !strings.Contains(got, `"issued_on":"`+want+`"`) {
			t.Errorf("issued at %s: %s", at, got)
		}
	}
}

// TestAnOffersLastDay (A17): the moment, and the day that every channel names.
func TestAnOffersLastDay(t *testing.T) {
	t.Parallel()
	o := preschool.Offer{State: preschool.Open, Until: moment(t, "2026-12-14T18:00:00Z")}
	got := shown(t, offerView(o, locales.KY))
	if !strings.Contains(got, `"until":"2026-12-14T18:00:00Z"`) || !strings.Contains(got, `"last_day":"2026-12-14"`) {
		t.Errorf("%s", got)
	}
	if told := clock.ShowDate(o.LastDay()); told != "14.12.2026" {
		t.Errorf("the message and the screen say %s", told)
	}
}

// asked keeps what days the figures were asked for.
type asked struct{ first, last time.Time }

// Usage implements UsageReader.
func (a *asked) Usage(_ context.Context, first, last time.Time) ([]analytics.Cell, error) {
	a.first, a.last = first, last
	return []analytics.Cell{{Day: clock.ISODay(last), Service: "fine", Count: 11}}, nil
}

// TestFiguresOfDays (A1, A12): days in and out are Bishkek's, in order and bounded.
func TestFiguresOfDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now, from, to, first, last, problem string
	}{
		"before midnight":     {now: "2026-11-28T17:59:59Z", first: "2026-10-29", last: "2026-11-28"},
		"after midnight":      {now: "2026-11-28T18:00:00Z", first: "2026-10-30", last: "2026-11-29"},
		"UTC's midnight":      {now: "2026-11-29T00:00:00Z", first: "2026-10-30", last: "2026-11-29"},
		"one day":             {now: "2026-11-29T00:00:00Z", from: "2026-11-02", to: "2026-11-02", first: "2026-11-02", last: "2026-11-02"},
		"from alone":          {now: "2026-11-28T18:00:00Z", from: "2026-11-29", first: "2026-11-29", last: "2026-11-29"},
		"from tomorrow":       {now: "2026-11-28T17:59:59Z", from: "2026-11-29", problem: "problem.usage_order"},
		"backwards":           {now: "2026-11-28T00:00:00Z", from: "2026-11-03", to: "2026-11-02", problem: "problem.usage_order"},
		"a leap year of days": {now: "2026-11-28T00:00:00Z", from: "2025-01-01", to: "2026-01-01", first: "2025-01-01", last: "2026-01-01"},
		"one more":            {now: "2026-11-28T00:00:00Z", from: "2025-01-01", to: "2026-01-02", problem: "problem.usage_span"},
		"a millennium":        {now: "2026-11-28T00:00:00Z", from: "1900-01-01", to: "2999-12-31", problem: "problem.usage_span"},
		"from long ago":       {now: "2026-11-28T00:00:00Z", from: "2020-01-01", problem: "problem.usage_span"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			figures := &asked{}
			s := &Server{Figures: figures}
			date := func(text string) *openapi_types.Date {
				day, err := time.Parse(time.DateOnly, text)
				if err != nil {
					return nil
				}
				return &openapi_types.Date{Time: day}
			}
			cells, err := s.usage(context.Background(), moment(t, c.now), date(c.from), date(c.to))
			if c.problem != "" {
				if problem.From(err).Key != c.problem {
					t.Errorf("%v, not %s", err, c.problem)
				}
				return
			}
			if err != nil || clock.ISODay(figures.first) != c.first || clock.ISODay(figures.last) != c.last || cells[0].Day != c.last {
				t.Errorf("asked from %s to %s, %v", figures.first, figures.last, err)
			}
		})
	}
}

// TestLinesFollowTheirPayment (A6): at every state, and when the time is over.
func TestLinesFollowTheirPayment(t *testing.T) {
	t.Parallel()
	now := moment(t, "2026-11-28T12:00:00Z")
	for _, c := range []struct {
		payment, line payment.State
		late          bool
		want          string
	}{
		{payment.Quoted, payment.Quoted, false, "quoted quoted"}, {payment.Quoted, payment.Quoted, true, "expired expired"},
		{payment.Awaiting, payment.Quoted, false, "awaiting awaiting"}, {payment.Awaiting, payment.Quoted, true, "expired expired"},
		{payment.Accepted, payment.Claimed, false, "accepted accepted"}, {payment.Accepted, payment.Claimed, true, "accepted accepted"},
		{payment.Accepted, payment.Settled, true, "accepted settled"}, {payment.Settled, payment.Settled, true, "settled settled"},
		{payment.RefundDue, payment.RefundDue, true, "refund_due refund_due"}, {payment.RefundDue, payment.Settled, true, "refund_due settled"},
		{payment.Refused, payment.Quoted, false, "refused refused"}, {payment.Refused, payment.Quoted, true, "refused refused"},
	} {
		p := payment.Payment{State: c.payment, Lines: []payment.Line{{State: c.line}}, ExpiresAt: now.Add(time.Minute)}
		if c.late {
			p.ExpiresAt = now
		}
		view := paymentView(p, now)
		if got := string(view.State) + " " + string((*view.Lines)[0].State); got != c.want {
			t.Errorf("%s with a line %s (late: %v) is shown as %s", c.payment, c.line, c.late, got)
		}
	}
}

// TestGoingAwayIsAnnounced (A15, the deprecation policy): no operation goes away
// yet, so one of a contract that marks it.
func TestGoingAwayIsAnnounced(t *testing.T) {
	t.Parallel()
	marked := strings.Replace(string(Document), "operationId: listDistricts",
		"operationId: listDistricts\n      deprecated: true\n      x-deprecated-at: \"2026-12-01\"\n      x-sunset: \"2027-12-01\"", 1)
	contract, err := api.NewContract([]byte(marked), everybody())
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New()
	app.Use("/v1", contract.Middleware)
	app.Get("/*", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) })
	for path, want := range map[string][2]string{
		"/v1/preschool/districts":                {"@1796083200", "Wed, 01 Dec 2027 00:00:00 GMT"},
		"/v1/preschool/kindergartens?district=1": {"", ""},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		response, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := [2]string{response.Header.Get("Deprecation"), response.Header.Get("Sunset")}; got != want {
			t.Errorf("%s: %d %q, not %q", path, response.StatusCode, got, want)
		}
	}
}
