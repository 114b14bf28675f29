package sms_test

import (
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// Of a message without a number that another link brings again one is taken; once
// it was acknowledged, the same words are news.
func TestDeliveredAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		take := func(id, text string) {
			t.Helper()
			m := sms.MO{Provider: "megacom", ID: id, Unnumbered: true, Phone: aigul, Text: text, At: w.Now()}
			w.take(m)
		}
		acknowledged := func(id string) {
			t.Helper()
			if err := w.inbound.Acknowledged(t.Context(), "megacom", id); err != nil {
				t.Fatal(err)
			}
		}
		take("linka:1", "1")
		take("linkb:1", "1") // linka broke before the response
		acknowledged("linkb:1")
		take("linkb:2", "1") // typed twice
		acknowledged("linkb:2")
		acknowledged("linka:1")
		take("linkc:1", "1") // answering another menu, over another link
		take("linkd:1", "2")
		w.Pass(6 * time.Minute)
		take("linke:1", "2") // long after
		if got := w.said(); !slices.Equal(got, []string{"1", "1", "1", "2", "2"}) {
			t.Errorf("heard %q", got)
		}
	})
}

// A stored text that nobody can read, and one that panics, hold up no other.
func TestResumeGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		const insert = "INSERT INTO sms_inbound (provider, message_id, received_at, sealed) VALUES ('smpp', $1, $2, $3)"
		for _, id := range []string{"poison:1", "poison:2"} {
			if _, err := db.Writer().ExecContext(t.Context(), insert, id, w.Now().UnixMicro(), []byte("sealed with another key")); err != nil {
				t.Fatal(err)
			}
		}
		w.take(sms.MO{Provider: "smpp", ID: "m1", Phone: azat, Text: "panic", At: w.Now()})
		w.Pass(2 * time.Minute)
		if err := w.inbound.Resume(t.Context()); err == nil {
			t.Error("a text that nobody can read is no fault")
		}
		w.rest()
		var waiting int
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM sms_inbound WHERE answered_at IS NULL").Scan(&waiting); err != nil || waiting != 1 {
			t.Errorf("%d wait, %v", waiting, err)
		}
		if err := w.inbound.Resume(t.Context()); err != nil {
			t.Errorf("the next round: %v", err)
		}
		w.rest()
	})
}
