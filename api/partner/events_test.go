package partner_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/webhook"
)

const eventID = "evt_019ac94f30e070c8a0d1b7a0a8a4c001"

// After implements partner.Events: two events, of which the second follows the first.
func (b *books) After(_ context.Context, partner, after string, rows int) ([]webhook.Event, bool, error) {
	b.asked = append(b.asked, partner, after)
	first := webhook.Event{ID: eventID, Kind: webhook.Created, Version: 1, Code: "1234567894", Service: "fine", Amount: 100, At: time.Unix(0, 0).UTC()}
	second := webhook.Event{
		ID: "evt_2", Kind: webhook.Refunded, Version: 2, Code: "1234567894", TxnID: "5", Reference: "6", Service: "fine", Amount: 100, Refund: 30, At: time.Unix(1, 0).UTC(),
	}
	return []webhook.Event{first, second}[:min(rows, 2)], rows < 2, b.fails
}

// TestEventsOverREST: what a partner reads, a page at a time, by a scope of its own.
func TestEventsOverREST(t *testing.T) {
	t.Parallel()
	b := &books{}
	app := restWith(t, b)
	const read = "GET /partner/v1/events"
	const first = `{"data":{"amount":100,"code":"1234567894","currency":"KGS","service":"fine","version":1},"id":"` + eventID + `","timestamp":"1970-01-01T00:00:00Z","type":"payment.created"}`
	const second = `{"data":{"amount":100,"code":"1234567894","currency":"KGS","reference":"6","refund":30,"service":"fine","txn_id":"5","version":2},` +
		`"id":"evt_2","timestamp":"1970-01-01T00:00:01Z","type":"payment.refunded"}`
	if status, _, body := rest(t, app, read, "events.read", ""); status != http.StatusOK || body != `{"events":[`+first+`,`+second+`],"more":false}` {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := rest(t, app, read+"?limit=1&after="+eventID, "events.read", ""); body != `{"events":[`+first+`],"more":true}` {
		t.Error(body)
	}
	if b.asked[0] != "demo-wallet" || b.asked[1] != "" || b.asked[3] != eventID {
		t.Errorf("asked for %q", b.asked)
	}
	if status, challenge, _ := rest(t, app, read, "payments.read", ""); status != http.StatusForbidden || challenge == "" {
		t.Errorf("without the scope: %d %s", status, challenge)
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?after=evt_1", "?after=1"} {
		if status, _, body := rest(t, app, read+query, "events.read", ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	b.fails = problem.New(problem.NotFound, "problem.partner_event_absent")
	if status, _, _ := rest(t, app, read+"?after="+eventID, "events.read", ""); status != http.StatusNotFound {
		t.Errorf("what is not the partner's: %d", status)
	}
}
