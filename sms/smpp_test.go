package sms_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// reports notes what became of messages; it knows those it was told to.
type reports struct {
	known map[string]bool
	heard chan string
}

func (r *reports) NoteReceipt(_ context.Context, report notify.DeliveryReceipt) error {
	if report.ID == "broken" {
		return errors.New("planned: the database is away")
	}
	if !r.known[report.ID] {
		return notify.ErrUnknown
	}
	r.heard <- report.Provider + " " + report.ID + " " + report.Status
	return nil
}

// centre is a provider on a link to somebody else's SMS centre.
type centre struct {
	*sms.SMPP
	t       *testing.T
	smsc    *smpptest.SMSC
	reports *reports
	refused chan string
	stop    func()
}

func newCentre(t *testing.T, taker sms.Receiver) *centre {
	t.Helper()
	told := &reports{known: map[string]bool{}, heard: make(chan string, 10)}
	c := newCentreOf(t, taker, told)
	c.reports = told
	return c
}

// newCentreOf is newCentre for one whose receipts somebody else takes.
func newCentreOf(t *testing.T, taker sms.Receiver, deliveries sms.Deliveries) *centre {
	t.Helper()
	return newCentreWithin(t, taker, deliveries, 0)
}

// newCentreWithin is newCentreOf for one whose responses are awaited for so long.
func newCentreWithin(t *testing.T, taker sms.Receiver, deliveries sms.Deliveries, response time.Duration) *centre {
	t.Helper()
	return newCentreAt(t, taker, deliveries, response, time.Now)
}

// newCentreAt is newCentreWithin by another clock.
func newCentreAt(t *testing.T, taker sms.Receiver, deliveries sms.Deliveries, response time.Duration, now func() time.Time) *centre {
	t.Helper()
	c := &centre{t: t, smsc: smpptest.Start(t), refused: make(chan string, 10)}
	log := slog.New(slog.DiscardHandler)
	client, err := smpp.New(
		smpp.Config{Address: c.smsc.Address, SystemID: "eshik", Password: "secret", Response: response, MinPause: 10 * time.Millisecond, MaxPause: time.Second},
		smpp.Deps{Log: log, Faulty: func(reason string) { c.refused <- reason }, Handle: func(ctx context.Context, d smpp.Delivery) (smpp.Status, func(context.Context)) {
			return c.Handle(ctx, d)
		}})
	if err != nil {
		t.Fatal(err)
	}
	c.SMPP, err = sms.NewSMPP(sms.SMPPConfig{Name: "megacom", From: "1414"}, client.Submit, sms.CallbackDeps{
		Deliveries: deliveries, Receiver: taker, Now: now,
		Refused: func(reason string) { c.refused <- reason }, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); client.Run(ctx) }()
	c.stop = func() { stop(); <-ended }
	t.Cleanup(c.stop)
	c.smsc.Until("bound")
	return c
}

func TestSMPPSend(t *testing.T) {
	t.Parallel()
	c := newCentre(t, untexted{})
	id, err := c.Send(t.Context(), notify.MT{ID: "m1", To: aigul, Text: "Төлөндү: 1 500 сом"})
	one := c.smsc.Until("submit")
	want := smpptest.Submit{
		Source: "1414", SourceTON: 3, Destination: "996555000001", DestinationTON: 1, Coding: 8, RegisteredDelivery: 1, Text: "Төлөндү: 1 500 сом",
	}
	if err != nil || id != one.ID || one.PDU != want {
		t.Errorf("sent as %q, %v: %+v", id, err, one)
	}
	long := strings.Repeat("Салам. ", 30)
	id, err = c.Send(t.Context(), notify.MT{ID: "m2", To: aigul, Text: long})
	var text strings.Builder
	for n := range 4 {
		part := c.smsc.Until("submit")
		text.WriteString(part.PDU.Text)
		if part.PDU.Class != 0x40 || (part.PDU.RegisteredDelivery == 1) != (n == 3) {
			t.Errorf("part %d is %+v", n+1, part.PDU)
		}
		if n == 3 && part.ID != id {
			t.Errorf("the message is %q, its last part %q", id, part.ID)
		}
	}
	if err != nil || text.String() != long {
		t.Errorf("%v: the parts are %q", err, text.String())
	}
}

// After a break in the middle of a message only the parts that may not have
// left are sent, and no other provider is asked.
func TestSMPPSendAgain(t *testing.T) {
	t.Parallel()
	c := newCentre(t, untexted{})
	m := notify.MT{ID: "m1", To: aigul, Text: strings.Repeat("ж", 67) + strings.Repeat("ө", 67) + "ү"}
	c.smsc.Do(map[string]any{"pass": 1, "silent": 1})
	c.smsc.Until("done")
	failed := make(chan error)
	go func() { _, err := c.Send(t.Context(), m); failed <- err }()
	if first := c.smsc.Until("submit"); first.PDU.Text != strings.Repeat("ж", 67) {
		t.Errorf("first %+v", first.PDU)
	}
	c.smsc.Until("swallowed")
	c.smsc.Do(map[string]any{"disconnect": true})
	if err := <-failed; err == nil || errors.Is(err, sms.ErrNotTaken) || errors.Is(err, notify.ErrRefused) {
		t.Errorf("a broken message ended with %v", err)
	}
	c.smsc.Until("bound")
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if second, third := c.smsc.Until("submit"), c.smsc.Until("submit"); second.PDU.Text != strings.Repeat("ө", 67) || third.PDU.Text != "ү" {
		t.Errorf("then %q and %q", second.PDU.Text, third.PDU.Text)
	}
}

// The link breaks before the response to a message: the receipt that comes over the
// next link finds it, and it is not sent again.
func TestSMPPReceiptOfALostResponse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		c := newCentreOf(t, w.inbound, w.Outbox)
		c.smsc.Do(map[string]any{"silent": 1})
		c.smsc.Until("done")
		w.sendBy(c, 120)
		c.smsc.Until("swallowed")
		c.smsc.Do(map[string]any{"disconnect": true})
		c.smsc.Until("bound")
		if status := c.smsc.Deliver(map[string]any{
			"esm_class": 4, "source_addr": "996555000001", "destination_addr": "1414", "short_message": "id:77 sub:001 dlvrd:001 stat:DELIVRD err:000 text:",
		}); status != 0 {
			t.Errorf("the receipt is answered with %d", status)
		}
		kept := w.kept(notify.Delivered)
		if kept.ProviderID != "77" || kept.Provider != "megacom" || kept.Cost != 120 || len(w.provider.Sent()) != 1 {
			t.Errorf("kept %+v after %d tries", kept, len(w.provider.Sent()))
		}
	})
}

// sendBy sends aigul a receipt through a provider, at a price of a part in tyiyn.
func (w *world) sendBy(provider sms.Provider, price int64) {
	w.T.Helper()
	router, err := sms.NewRouter(w.DB, time.Now, sms.Route{Provider: provider, Prices: map[string]int64{"": price}, Reports: true})
	if err != nil {
		w.T.Fatal(err)
	}
	w.provider.next = router
	w.Work()
	err = w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		return w.Outbox.Send(w.T.Context(), tx, notify.Message{To: aigul, Text: "Төлөндү", Purpose: notify.Receipt})
	})
	if err != nil {
		w.T.Fatal(err)
	}
}

// kept waits until the one message to aigul has a state; no job waits for its moment.
func (w *world) kept(state notify.State) (m notify.Stored) {
	w.T.Helper()
	for deadline := time.Now().Add(20 * time.Second); m.State != state; time.Sleep(20 * time.Millisecond) {
		list, err := w.Outbox.List(w.T.Context(), aigul)
		if err == nil {
			_, err = w.DB.Writer().Exec("UPDATE river_job SET state = 'available', scheduled_at = attempted_at WHERE state = 'scheduled'")
		}
		if err != nil || len(list) != 1 || time.Now().After(deadline) {
			w.T.Fatalf("waiting for %s: %+v, %v", state, list, err)
		}
		m = list[0]
	}
	return m
}

func TestSMPPReceipts(t *testing.T) {
	t.Parallel()
	c := newCentre(t, untexted{})
	c.reports.known["77"] = true
	receipt := func(text string, more map[string]any) {
		fields := map[string]any{"esm_class": 4, "source_addr": "996555000001", "destination_addr": "1414", "short_message": text}
		for name, value := range more {
			fields[name] = value
		}
		if status := c.smsc.Deliver(fields); status != 0 {
			t.Errorf("a receipt is answered with %d", status)
		}
	}
	receipt("id:77 sub:001 dlvrd:001 stat:DELIVRD err:000 text:", nil)
	receipt("", map[string]any{"receipted_message_id": "77", "message_state": 3})
	want := map[string]bool{"megacom 77 DELIVRD": true, "megacom 77 EXPIRED": true}
	for range 2 {
		got := <-c.reports.heard
		if !want[got] {
			t.Errorf("heard %q", got)
		}
		delete(want, got)
	}
	// What could not be noted is not acknowledged: the centre delivers it again.
	if status := c.smsc.Deliver(map[string]any{
		"esm_class": 4, "source_addr": "996555000001", "destination_addr": "1414", "short_message": "id:broken stat:DELIVRD err:000",
	}); smpp.Status(status) != smpp.StatusTemporary {
		t.Errorf("a receipt that was lost is answered with %d", status)
	}
	receipt("no receipt at all", nil)
	if reason := <-c.refused; reason != "receipt" {
		t.Errorf("counted %q", reason)
	}
}

// A citizen's message over SMPP, whole and in parts, with both ways to join
// them, has one effect.
func TestSMPPInbound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		c := newCentre(t, w.inbound)
		text := func(fields map[string]any) {
			t.Helper()
			all := map[string]any{"source_addr": "996555000001", "destination_addr": "1414", "data_coding": 8}
			for name, value := range fields {
				all[name] = value
			}
			if status := c.smsc.Deliver(all); status != 0 {
				t.Errorf("answered with %d", status)
			}
		}
		text(map[string]any{"short_message": "0x043a04350437"})                                   // кез
		text(map[string]any{"esm_class": 64, "short_message": "0x050003210202" + "0435043a"})     // ек
		text(map[string]any{"esm_class": 64, "short_message": "0x050003210201" + "043a04350437"}) // кез
		text(map[string]any{"data_coding": 0, "short_message": "0x31", "sar_msg_ref_num": 9, "sar_total_segments": 2, "sar_segment_seqnum": 1})
		text(map[string]any{"data_coding": 0, "short_message": "0x32", "sar_msg_ref_num": 9, "sar_total_segments": 2, "sar_segment_seqnum": 2})
		text(map[string]any{"data_coding": 0, "short_message": "0x37"})
		text(map[string]any{"data_coding": 0, "short_message": "0x37"}) // typed twice
		c.smsc.Do(map[string]any{"disconnect": true})
		c.smsc.Until("bound")
		text(map[string]any{"data_coding": 0, "short_message": "0x37"}) // and once more: those before were acknowledged
		text(map[string]any{"data_coding": 0, "short_message": "0x38"})
		w.rest()
		if got := strings.Join(w.said(), " "); got != "кез кезек 12 7 7 7 8" {
			t.Errorf("heard %q", got)
		}
		text(map[string]any{"source_addr": "Beeline", "data_coding": 0, "short_message": "0x37"})
		if reason := <-c.refused; reason != "sender" {
			t.Errorf("counted %q", reason)
		}
		if status := c.smsc.Deliver(map[string]any{"esm_class": 64, "short_message": "0x90", "source_addr": "996555000001"}); status != uint32(smpp.StatusPermanent) {
			t.Errorf("an impossible header is answered with %d", status)
		}
	})
}
