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

// hooks answers for partner.Webhooks.
func (b *books) hook(partner, what string) (webhook.Webhook, error) {
	b.asked = append(b.asked, what+" "+partner)
	return webhook.Webhook{URL: "https://wallet.example/", Secret: "whsec_x", Disabled: "gone", MadeAt: time.Unix(0, 0).UTC()}, b.fails
}

// Get implements partner.Webhooks.
func (b *books) Get(_ context.Context, p string) (webhook.Webhook, error) { return b.hook(p, "get") }

// Set implements partner.Webhooks.
func (b *books) Set(_ context.Context, p, address string) (webhook.Webhook, error) {
	return b.hook(p, "set "+address)
}

// Remove implements partner.Webhooks.
func (b *books) Remove(_ context.Context, p string) (webhook.Webhook, error) {
	return b.hook(p, "remove")
}

// Rotate implements partner.Webhooks.
func (b *books) Rotate(_ context.Context, p string) (webhook.Webhook, error) {
	return b.hook(p, "rotate")
}

// Probe implements partner.Webhooks.
func (b *books) Probe(_ context.Context, p string) (webhook.Webhook, error) {
	return b.hook(p, "probe")
}

// Replay implements partner.Webhooks.
func (b *books) Replay(_ context.Context, p, after string, rows int) (int, string, bool, error) {
	b.asked = append(b.asked, "replay "+after+" "+p)
	return rows, eventID, true, b.fails
}

// TestWebhooksOverREST: each operation does its own for the partner of the token, by a scope of its own.
func TestWebhooksOverREST(t *testing.T) {
	t.Parallel()
	b := &books{}
	app := restWith(t, b)
	const shown = `{"created_at":"1970-01-01T00:00:00Z","disabled":"gone","proved":false,"secret":"whsec_x","url":"https://wallet.example/"}`
	for operation, c := range map[string]struct{ body, asks, answer string }{
		"PUT /partner/v1/webhook":         {`{"url":"https://wallet.example/"}`, "set https://wallet.example/ demo-wallet", shown},
		"GET /partner/v1/webhook":         {"", "get demo-wallet", shown},
		"DELETE /partner/v1/webhook":      {"", "remove demo-wallet", shown},
		"POST /partner/v1/webhook/secret": {"", "rotate demo-wallet", shown},
		"POST /partner/v1/webhook/probe":  {"", "probe demo-wallet", shown},
		"POST /partner/v1/events/replay":  {`{"after":"` + eventID + `","limit":7}`, "replay " + eventID + " demo-wallet", `{"count":7,"last":"` + eventID + `","more":true}`},
	} {
		b.asked, b.fails = nil, nil
		if status, _, body := rest(t, app, operation, "webhooks.manage", c.body); status != http.StatusOK || body != c.answer || b.asked[0] != c.asks {
			t.Errorf("%s: %d %s, asked %q", operation, status, body, b.asked)
		}
		if status, _, _ := rest(t, app, operation, "events.read", c.body); status != http.StatusForbidden {
			t.Errorf("%s without the scope: %d", operation, status)
		}
		b.fails = problem.New(problem.NotFound, "problem.partner_webhook_absent")
		if status, _, _ := rest(t, app, operation, "webhooks.manage", c.body); status != http.StatusNotFound {
			t.Errorf("%s of none: %d", operation, status)
		}
	}
}
