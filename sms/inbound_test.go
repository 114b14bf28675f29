package sms_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

func TestInboundHasOneEffect(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, false)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { w.text("SM1", "АЙЫП 01KG123ABC") })
		}
		all.Wait()
		w.text("SM2", "silence")
		if len(w.heard()) != 2 {
			t.Fatalf("2 messages made %d turns", len(w.heard()))
		}
		turn := w.heard()[0]
		if turn.Session != "sms" || turn.Phone != aigul || turn.ID != "twilio/SM1" || turn.Gateway != "twilio" || turn.Cumulative || turn.Text != "АЙЫП 01KG123ABC" ||
			turn.Budget != sms.Budget || turn.Lifetime != 24*time.Hour || turn.Operator != "MegaCom" {
			t.Errorf("the turn is %+v", turn)
		}
		w.Work()
		w.sends("you said АЙЫП 01KG123ABC")
	})
}

// A message whose turn fails, or whose process is killed after it was stored,
// is answered later; in the end the citizen is told.
func TestResume(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, false)
		w.Work()
		resume := func(turns int) {
			t.Helper()
			before := len(w.heard())
			_ = w.inbound.Resume(t.Context())
			w.rest()
			if got := len(w.heard()) - before; got != turns {
				t.Errorf("resumed %d, want %d", got, turns)
			}
		}
		w.fail(errors.New("planned"))
		w.text("SM1", "canary 11503198800011")
		w.text("SM1", "canary 11503198800011")
		resume(0) // its own request may still be at it
		w.Pass(2 * time.Minute)
		resume(1)
		w.fail(nil)
		resume(1)
		resume(0)
		w.sends("you said canary 11503198800011")
		w.fail(errors.New("planned"))
		w.text("SM2", "canary 2")
		w.Pass(16 * time.Minute)
		resume(0)
		w.sends("you said canary 11503198800011", "ky problem.internal\nru problem.internal")
		w.Pass(31 * 24 * time.Hour)
		resume(0)
		w.fail(nil)
		w.text("SM1", "again") // so late that it is news
		if n := len(w.heard()); n != 5 {
			t.Errorf("%d turns", n)
		}
	})
}

func TestStoredMessageIsSealed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, false)
		read := func() (sealed []byte) {
			t.Helper()
			row := db.Reader().QueryRow("SELECT sealed FROM sms_inbound WHERE message_id = 'SM1'")
			if err := row.Scan(&sealed); err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		w.fail(errors.New("planned"))
		w.text("SM1", "canary-482913")
		if sealed := read(); len(sealed) < 40 || bytes.Contains(sealed, []byte("canary")) || bytes.Contains(sealed, []byte("555000001")) {
			t.Errorf("stored %q", sealed)
		}
		w.fail(nil)
		w.Pass(2 * time.Minute)
		if err := w.inbound.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.rest()
		if sealed := read(); sealed != nil {
			t.Errorf("an answered message is still stored: %q", sealed)
		}
	})
}

func TestInboundAuthentication(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	w := newWorld(t, db, false)
	form := inbound("SM1", "1")
	good := sign(publicURL+"/sms/twilio", form)
	other := inbound("SM1", "2")
	for name, c := range map[string]struct {
		path      string
		form      url.Values
		signature string
	}{
		"none":          {"/sms/twilio", form, ""},
		"garbage":       {"/sms/twilio", form, "garbage"},
		"another body":  {"/sms/twilio", other, good},
		"another path":  {"/sms/twilio", form, sign(publicURL+"/sms/twilio/status", form)},
		"another host":  {"/sms/twilio", form, sign("https://evil.example/sms/twilio", form)},
		"another query": {"/sms/twilio?x=1", form, good},
		"status, none":  {"/sms/twilio/status", form, ""},
	} {
		if status, _ := w.post(c.path, c.form, c.signature); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	if len(w.heard()) != 0 || len(w.counted()) != 7 {
		t.Errorf("%d turns, refused %v", len(w.heard()), w.counted())
	}
	sandbox := newWorld(t, db, true)
	if status, _ := sandbox.post("/sms/twilio", form, ""); status != http.StatusOK || len(sandbox.heard()) != 1 {
		t.Errorf("the sandbox's loopback without a signature: %d", status)
	}
	if status, _ := sandbox.post("/sms/twilio", other, good); status != http.StatusForbidden {
		t.Errorf("the sandbox's loopback with a wrong signature: %d", status)
	}
}

func TestInboundOddities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	nobody := inbound("SM1", "1")
	nobody.Set("From", "MEGACOM")
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"a sender with a name": {nobody, 200},
		"no id":                {inbound("", "1"), 400},
		"too large":            {inbound("SM2", strings.Repeat("x", 70<<10)), 413},
		"10 000 characters":    {inbound("SM3", strings.Repeat("ж", 10000)), 200},
		"no text":              {inbound("SM4", ""), 200},
		"emoji and zero bytes": {inbound("SM5", "😀\x00\xff"), 200},
	} {
		if status, _ := w.post("/sms/twilio", c.form, ""); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
	if len(w.heard()) != 3 {
		t.Errorf("%d turns, want 3", len(w.heard()))
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.Work()
		w.text("SM1", "1")
		w.sends("you said 1")
		id := "SMout" + w.provider.Sent()[0].ID
		for _, c := range []struct {
			id, status string
			want       int
		}{{id, "sent", 200}, {id, "delivered", 200}, {id, "delivered", 200}, {id, "failed", 200}, {"SMunknown", "sent", 200}, {"", "sent", 400}, {id, "", 400}} {
			form := url.Values{"MessageSid": {c.id}, "MessageStatus": {c.status}}
			if status, _ := w.post("/sms/twilio/status", form, sign(publicURL+"/sms/twilio/status", form)); status != c.want {
				t.Errorf("%+v: %d", c, status)
			}
		}
		var state string
		row := db.Reader().QueryRow(fmt.Sprintf("SELECT state FROM notify_messages WHERE provider_id = 'twilio/%s'", id))
		if err := row.Scan(&state); err != nil || state != string(notify.Delivered) {
			t.Errorf("the message is %s, %v", state, err)
		}
	})
}
