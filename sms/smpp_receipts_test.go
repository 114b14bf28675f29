package sms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// route sends through the centre.
func (w *world) route(c *centre) {
	w.T.Helper()
	router, err := sms.NewRouter(w.DB, time.Now, sms.Route{Provider: c, Prices: map[string]int64{"": 120}, Reports: true})
	if err != nil {
		w.T.Fatal(err)
	}
	w.provider.next = router
	w.Work()
}

// tell queues a receipt to a phone and waits until it has the state.
func (w *world) tell(phone, text string, state notify.State) {
	w.T.Helper()
	err := w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		return w.Outbox.Send(w.T.Context(), tx, notify.Message{To: phone, Text: text, Purpose: notify.Receipt})
	})
	if err != nil {
		w.T.Fatal(err)
	}
	w.becomes(phone, text, state)
}

// becomes waits until a message has the state.
func (w *world) becomes(phone, text string, state notify.State) {
	w.T.Helper()
	var got notify.State
	for deadline := time.Now().Add(20 * time.Second); got != state; time.Sleep(10 * time.Millisecond) {
		list, err := w.Outbox.List(w.T.Context(), phone)
		if err != nil || time.Now().After(deadline) {
			w.T.Fatalf("%q is %s, not %s: %v", text, got, state, err)
		}
		for _, m := range list {
			if m.Text == text {
				got = m.State
			}
		}
	}
}

// states are those of the messages to a phone, by their texts.
func (w *world) states(phone string) map[string]notify.State {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	if err != nil {
		w.T.Fatal(err)
	}
	all := map[string]notify.State{}
	for _, m := range list {
		all[m.Text] = m.State
	}
	return all
}

// T5: a receipt finds its message however the two write its id, as long as one message
// alone can be meant.
func TestSMPPReceiptIDs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ids      []string // of the messages to aigul, "0", "1", …
		receipt  string
		wants    int // which of them it is about; -1: none
		standard bool
	}{
		"as sent":                            {[]string{"77"}, "77", 0, false},
		"padded hexadecimal, decimal":        {[]string{"0000001A"}, "26", 0, false},
		"padded hexadecimal, padded decimal": {[]string{"0000001A"}, "0000000026", 0, false},
		"padded decimal, bare":               {[]string{"0000012345"}, "12345", 0, false},
		"bare, padded decimal":               {[]string{"12345"}, "0000012345", 0, false},
		"decimal, hexadecimal":               {[]string{"305419896"}, "12345678", 0, false},
		"decimal, padded hexadecimal":        {[]string{"26"}, "0000001a", 0, false},
		"bare hexadecimal, padded":           {[]string{"1a2b"}, "00001A2B", 0, false},
		"with 0x":                            {[]string{"0x1A2B"}, "6699", 0, false},
		"letters of another case":            {[]string{"msg-ab1"}, "MSG-AB1", 0, false},
		"letters with leading zeros":         {[]string{"00msg-1"}, "msg-1", 0, false},
		"over 64 bits":                       {[]string{"0FFFFFFFFFFFFFFFFF"}, "295147905179352825855", 0, false},
		"as sent before what is alike":       {[]string{"64", "40"}, "64", 0, false},
		"two that are alike, none as sent":   {[]string{"1A", "026"}, "0026", -1, false},
		"another number":                     {[]string{"27"}, "1F", -1, false},
		"the parameter, in another base":     {[]string{"0000001A"}, "26", 0, true},
		"90 characters":                      {[]string{strings.Repeat("7f", 45)}, strings.Repeat("7f", 45), 0, false},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		c := newCentreOf(t, w.inbound, w.Outbox)
		w.route(c)
		phone := 996555000100 // one for each case: their ids are alike
		for name, test := range tests {
			phone++
			to := fmt.Sprint("+", phone)
			c.smsc.Do(map[string]any{"ids": test.ids})
			c.smsc.Until("done")
			for i := range test.ids {
				w.tell(to, fmt.Sprint(i), notify.Sent)
			}
			fields := map[string]any{
				"esm_class": 4, "source_addr": to[1:], "destination_addr": "1414",
				"short_message": "id:" + test.receipt + " sub:001 dlvrd:001 stat:DELIVRD err:000 text:",
			}
			if test.standard {
				fields["short_message"], fields["receipted_message_id"], fields["message_state"] = "", test.receipt, 2
			}
			if status := c.smsc.Deliver(fields); status != 0 {
				t.Errorf("%s: the receipt is answered with %d", name, status)
			}
			if test.wants >= 0 {
				w.becomes(to, fmt.Sprint(test.wants), notify.Delivered)
			} else {
				for reason := ""; reason != "orphan_receipt"; { // an id of 90 characters is counted too
					select {
					case reason = <-c.refused:
					case <-time.After(10 * time.Second):
						t.Fatalf("%s: not counted: %v", name, w.states(to))
					}
				}
			}
			for text, state := range w.states(to) {
				if (text == fmt.Sprint(test.wants)) != (state == notify.Delivered) {
					list, _ := w.Outbox.List(t.Context(), to)
					t.Errorf("%s: message %s is %s; %+v", name, text, state, list)
				}
			}
		}
	})
}

// T5: where the ids of messages to two phones are alike, the receipt's phone tells, also
// against an id that is the same to the letter; and one that overtook the response is
// found in its other form.
func TestSMPPReceiptIDsOfTwoPhones(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		c := newCentreOf(t, w.inbound, w.Outbox)
		c.smsc.Do(map[string]any{"ids": []string{"16", "10"}}) // in hexadecimal; the receipts are in decimal digits
		c.smsc.Until("done")
		w.route(c)
		w.tell(aigul, "a", notify.Sent)
		w.tell(azat, "b", notify.Sent)
		c.smsc.Deliver(map[string]any{
			"esm_class": 4, "source_addr": "996700000002", "destination_addr": "1414", "short_message": "id:16 stat:DELIVRD err:000",
		})
		w.becomes(azat, "b", notify.Delivered)
		if state := w.states(aigul)["a"]; state != notify.Sent {
			t.Errorf("the other one is %s", state)
		}
		// The phone may stand where it stood in the message.
		c.smsc.Deliver(map[string]any{
			"esm_class": 4, "source_addr": "1414", "destination_addr": "996555000001", "short_message": "id:22 stat:UNDELIV err:000",
		})
		w.becomes(aigul, "a", notify.Failed)

		c.smsc.Do(map[string]any{"late": 1, "ids": []string{"000000FF"}})
		c.smsc.Until("done")
		queued := make(chan struct{})
		go func() { defer close(queued); w.tell(aigul, "overtaken", notify.Delivered) }()
		c.smsc.Until("submit")
		c.smsc.Deliver(map[string]any{
			"esm_class": 4, "source_addr": "996555000001", "destination_addr": "1414", "short_message": "id:255 stat:DELIVRD err:000",
		})
		if reason := <-c.refused; reason != "orphan_receipt" {
			t.Errorf("counted %q", reason)
		}
		c.smsc.Do(map[string]any{"release": true})
		<-queued
	})
}

// T1: a receipt by any of its marks is taken, and nothing is answered to it; a text that
// only looks like one is answered.
func TestSMPPReceiptMarks(t *testing.T) {
	t.Parallel()
	const form = "id:77 sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:"
	for name, test := range map[string]struct {
		fields map[string]any
		state  notify.State
		heard  int // texts that reach the conversation
	}{
		"parameters":            {map[string]any{"receipted_message_id": "77", "message_state": 2, "short_message": ""}, notify.Delivered, 0},
		"parameters and text":   {map[string]any{"receipted_message_id": "77", "message_state": 2, "short_message": form}, notify.Delivered, 0},
		"the id, and a text":    {map[string]any{"receipted_message_id": "77", "short_message": form}, notify.Delivered, 0},
		"an unknown id":         {map[string]any{"receipted_message_id": "78", "message_state": 2, "short_message": ""}, notify.Sent, 0},
		"intermediate":          {map[string]any{"esm_class": 0x20, "short_message": "id:77 stat:ENROUTE err:000"}, notify.Sent, 0},
		"an acknowledgement":    {map[string]any{"esm_class": 0x08, "short_message": "ok"}, notify.Sent, 0},
		"the form, our id":      {map[string]any{"short_message": form}, notify.Delivered, 0},
		"the form in UCS-2":     {map[string]any{"data_coding": 8, "short_message": "0x" + units(form)}, notify.Delivered, 0},
		"the form, other id":    {map[string]any{"short_message": "id:78 sub:001 dlvrd:001 stat:DELIVRD err:000"}, notify.Sent, 1},
		"the form, other phone": {map[string]any{"short_message": form, "source_addr": "996700000002"}, notify.Sent, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				c := newCentreOf(t, w.inbound, w.Outbox)
				c.smsc.Do(map[string]any{"ids": []string{"77"}})
				c.smsc.Until("done")
				w.route(c)
				w.tell(aigul, "Төлөндү", notify.Sent)
				fields := map[string]any{"source_addr": "996555000001", "destination_addr": "1414"}
				for field, value := range test.fields {
					fields[field] = value
				}
				if status := c.smsc.Deliver(fields); status != 0 {
					t.Errorf("answered with %d", status)
				}
				w.becomes(aigul, "Төлөндү", test.state)
				w.rest()
				if n := len(w.heard()); n != test.heard {
					t.Errorf("%d texts reached the conversation", n)
				}
			})
		})
	}
}

// T12, T13: a response that comes when nobody waits for it any more, over the same link
// or after the centre unbound, is its message's: one copy leaves, and its receipt is found.
func TestSMPPLateResponse(t *testing.T) {
	t.Parallel()
	for name, unbinds := range map[string]bool{"late": false, "after a new bind": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				c := newCentreWithin(t, w.inbound, w.Outbox, time.Second)
				c.smsc.Do(map[string]any{"late": 1, "ids": []string{"0000001A"}})
				c.smsc.Until("done")
				w.route(c)
				w.tell(aigul, "Төлөндү", notify.Queued)
				c.smsc.Until("submit")
				w.uncertain(1)
				if unbinds {
					c.smsc.Do(map[string]any{"unbind": true})
					c.smsc.Until("bound")
				}
				c.smsc.Do(map[string]any{"release": true})
				w.becomes(aigul, "Төлөндү", notify.Sent)
				c.smsc.Deliver(map[string]any{
					"esm_class": 4, "source_addr": aigul[1:], "destination_addr": "1414", "short_message": "id:26 stat:DELIVRD err:000",
				})
				w.becomes(aigul, "Төлөндү", notify.Delivered)
				if n := len(w.provider.Sent()); n != 1 {
					t.Errorf("%d tries", n)
				}
			})
		})
	}
}

// uncertain waits until so many tries are known to have had no answer.
func (w *world) uncertain(want int) {
	w.T.Helper()
	n := -1
	for deadline := time.Now().Add(20 * time.Second); n != want; time.Sleep(10 * time.Millisecond) {
		if err := w.DB.Reader().QueryRow("SELECT MAX(uncertain) FROM notify_messages").Scan(&n); err != nil || time.Now().After(deadline) {
			w.T.Fatalf("%d tries without an answer, %v", n, err)
		}
	}
}

// units is a text in UCS-2, in hexadecimal digits.
func units(text string) string {
	octets, err := smpp.EncodeText(text, smpp.CodingUCS2)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x", octets)
}
