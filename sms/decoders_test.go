package sms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/smpp"
)

// inbox takes messages as Inbound does, and stores nothing.
type inbox struct{ taken []message }

func (b *inbox) Take(_ context.Context, mo MO) error {
	m, err := read(mo)
	if err == nil {
		b.taken = append(b.taken, m)
	}
	return err
}

func (*inbox) Acknowledged(context.Context, string, string) error { return nil }

// outcomes takes delivery reports.
type outcomes struct{ heard []string }

func (o *outcomes) NoteReceipt(_ context.Context, r notify.DeliveryReceipt) error {
	o.heard = append(o.heard, r.ID+" "+r.Status)
	return nil
}

// desk is every decoder of what a provider sends us, over an inbox.
type desk struct {
	inbox   inbox
	reports outcomes
	refused []string
	app     *fiber.App
	link    *SMPP
}

// secretPath is of 16 letters, as Africa's Talking's must be.
const secretPath = "abcdefghabcdefgh"

func newDesk(tb testing.TB) *desk {
	tb.Helper()
	d := &desk{app: fiber.New(fiber.Config{DisableStartupMessage: true})}
	log, refuse := slog.New(slog.DiscardHandler), func(reason string) { d.refused = append(d.refused, reason) }
	deps := CallbackDeps{Deliveries: &d.reports, Receiver: &d.inbox, Now: time.Now, Refused: refuse, Log: log}
	twilio, err := NewTwilioCallbacks(TwilioCallbacksConfig{AuthToken: "token", PublicURL: "https://eshik.example"}, deps)
	if err != nil {
		tb.Fatal(err)
	}
	africa, err := NewAfricasTalking(AfricasTalkingConfig{Username: "u", APIKey: "k", Secret: secretPath}, deps)
	if err != nil {
		tb.Fatal(err)
	}
	africa.Register(d.app)
	// Without the guard, which lets through what Twilio signed; and with it.
	d.app.Post("/signed", twilio.receive)
	d.app.Post("/signed/status", twilio.report)
	d.app.Post("/guarded", twilio.guard(twilio.receive))
	if d.link, err = NewSMPP(SMPPConfig{Name: "smpp", From: "1414"}, nil, deps); err != nil {
		tb.Fatal(err)
	}
	return d
}

// clear forgets what came.
func (d *desk) clear() { d.inbox.taken, d.reports.heard, d.refused = nil, nil, nil }

// post gives a form to a path and the status of the answer.
func (d *desk) post(tb testing.TB, path, body string) int {
	tb.Helper()
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := d.app.Test(request, -1)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

// settled holds what must be true of one request: it was taken whole, or refused
// by the protocol's own word and counted once.
func (d *desk) settled(t *testing.T, status, effects int) {
	t.Helper()
	wants := map[string]int{"malformed": 400, "sender": 200, "too_large": 413, "signature": 403, "secret": 403}
	if len(d.refused) > 1 || effects+len(d.refused) != 1 {
		t.Fatalf("%d effects, counted %q", effects, d.refused)
	}
	want := http.StatusOK
	if len(d.refused) == 1 {
		want = wants[d.refused[0]]
	}
	if status != want {
		t.Fatalf("answered %d, counted %q", status, d.refused)
	}
	for _, m := range d.inbox.taken {
		if !utf8.ValidString(m.Text) || strings.Contains(m.Text, "\x00") || !sidPattern.MatchString(m.id) || m.Phone == "" {
			t.Fatalf("took %+v", m)
		}
	}
}

// A form that is no form, or a megabyte of one, is refused in HTTP's own words
// and counted; the next one is taken.
func TestUnusableForms(t *testing.T) {
	t.Parallel()
	const message, report = "MessageSid=SM1&From=%2B996555000001&Body=1", "MessageSid=SM1&MessageStatus=sent"
	const africa = "/sms/africastalking/" + secretPath
	for path, good := range map[string]string{
		"/guarded": "", "/signed": message, "/signed/status": report,
		africa: "id=in-1&from=%2B996555000001&text=1", africa + "/report": "id=in-1&status=Success",
	} {
		d := newDesk(t)
		for name, body := range map[string]string{
			"a megabyte": "text=" + strings.Repeat("a", 1<<20), "a megabyte of fields": strings.Repeat("a=&", 1<<20/3),
			"nothing": "", "no form": "{\"id\": 1}", "half an escape": "id=%4&MessageSid=%", "an id of bytes": "id=%00%ff&MessageSid=%00%ff&status=x&MessageStatus=x",
		} {
			d.clear()
			status := d.post(t, path, body)
			if len(d.refused) != 1 || status < 400 || status >= 500 || len(d.inbox.taken)+len(d.reports.heard) > 0 {
				t.Errorf("%s: %s is answered %d and counted %q", path, name, status, d.refused)
			}
			if big := strings.HasPrefix(name, "a megabyte") && path != "/signed" && path != "/signed/status"; big != (status == 413) {
				t.Errorf("%s: %s is answered %d", path, name, status)
			}
		}
		if good == "" {
			continue
		}
		d.clear()
		status := d.post(t, path, good)
		d.settled(t, status, len(d.inbox.taken)+len(d.reports.heard))
		if len(d.refused) > 0 {
			t.Errorf("%s: the next form is counted %q", path, d.refused)
		}
	}
}

func fuzzForm(f *testing.F, path string, seeds ...string) {
	for _, seed := range append(seeds, "", "&&=%", "MessageSid=%ff%00&id=\x00", strings.Repeat("a=", 1000)) {
		f.Add(seed)
	}
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, body string) {
		d.clear()
		status := d.post(t, path, body)
		d.settled(t, status, len(d.inbox.taken)+len(d.reports.heard))
	})
}

func FuzzTwilioForm(f *testing.F) {
	fuzzForm(f, "/signed", "MessageSid=SM1&From=%2B996555000001&Body=%D0%90%D0%99%D0%AB%D0%9F&NumSegments=2", "MessageSid=SM1&From=MEGACOM")
}

func FuzzTwilioStatus(f *testing.F) {
	fuzzForm(f, "/signed/status", "MessageSid=SM1&MessageStatus=delivered", "MessageSid=SM1")
}

// Nothing that Twilio did not sign gets past the guard.
func FuzzTwilioGuard(f *testing.F) {
	f.Add("MessageSid=SM1&From=%2B996555000001&Body=1", "c2lnbmF0dXJl")
	f.Add("MessageSid=SM1", strings.Repeat("4", 5000))
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, body, signature string) {
		d.clear()
		request := httptest.NewRequest(http.MethodPost, "/guarded", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		signature = strings.Map(printable, signature)
		// The server refuses a longer head by itself (e2e, TestAttackUnreadable).
		request.Header["X-Twilio-Signature"] = []string{signature[:min(len(signature), 3000)]}
		response, err := d.app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if len(d.inbox.taken) > 0 {
			t.Fatalf("took %+v", d.inbox.taken)
		}
		d.settled(t, response.StatusCode, 0)
	})
}

// printable drops what cannot stand in a header.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

func FuzzAfricasTalkingForm(f *testing.F) {
	fuzzForm(f, "/sms/africastalking/"+secretPath, "id=in-1&from=%2B996555000001&to=1414&text=1&date=2026", "id=in-1&from=Beeline")
}

func FuzzAfricasTalkingReport(f *testing.F) {
	fuzzForm(f, "/sms/africastalking/"+secretPath+"/report", "id=ATXid_1&status=Success", "id=ATXid_1")
}

// A message's expiry is said as SMPP says it, rounded down to a second.
func TestValidity(t *testing.T) {
	for left, want := range map[time.Duration]string{
		time.Second: "000000000001000R", 10*time.Minute + 900*time.Millisecond: "000000001000000R",
		26*time.Hour + 3*time.Second: "000001020003000R", 1000 * 24 * time.Hour: "000099000000000R",
	} {
		if got := validity(left); got != want {
			t.Errorf("%s is written %q, want %q", left, got, want)
		}
	}
	expires := time.Date(2026, 3, 2, 9, 10, 0, 0, time.UTC)
	m := notify.MT{ExpiresAt: expires}
	if m.Left(expires.Add(-time.Minute)) != time.Minute || m.Left(expires.Add(time.Hour)) != time.Second || (notify.MT{}).Left(expires) != 0 {
		t.Error("what is left of a message is counted wrongly")
	}
}

// A full link is nobody's fault, and what is gone in part goes no other way.
func TestFaultsOfALink(t *testing.T) {
	final := &smpp.StatusError{Status: smpp.StatusDestination}
	full := fmt.Errorf("%w: %w", smpp.ErrNotSent, smpp.ErrNoTurn)
	for _, c := range []struct {
		err                       error
		gone                      int
		refused, notTaken, noRoom bool
	}{
		{final, 0, true, false, false}, {final, 1, false, false, false}, {full, 0, false, false, true}, {full, 1, false, false, true},
		{smpp.ErrNotSent, 0, false, true, false}, {smpp.ErrNotSent, 1, false, false, false}, {smpp.ErrOutcomeUnknown, 0, false, false, false},
	} {
		err := new(SMPP).fault(c.err, c.gone)
		if errors.Is(err, notify.ErrRefused) != c.refused || errors.Is(err, ErrNotTaken) != c.notTaken || errors.Is(err, notify.ErrFull) != c.noRoom {
			t.Errorf("%v with %d parts gone is %v", c.err, c.gone, err)
		}
	}
}

// Their answer gives an id or an error, and an error repeats nothing of it.
func FuzzAfricasTalkingAnswer(f *testing.F) {
	f.Add(201, []byte(`{"SMSMessageData":{"Recipients":[{"statusCode":101,"messageId":"ATPid_1"}]}}`))
	f.Add(201, []byte(`{"SMSMessageData":{"Message":"+996555000001","Recipients":[]}}`))
	f.Add(500, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		id, err := readAfricasTalking(status, body)
		if err != nil && (id != "" || len(body) > 20 && strings.Contains(err.Error(), string(body))) {
			t.Fatalf("%q, %v", id, err)
		}
		if err == nil && status/100 != 2 {
			t.Fatalf("status %d is taken for success", status)
		}
		if errors.Is(err, ErrNotTaken) && errors.Is(err, notify.ErrRefused) {
			t.Fatalf("two verdicts: %v", err)
		}
	})
}

// What an SMS centre delivers is taken, or answered and counted; a receipt is
// reported under an id.
func FuzzSMPPDelivery(f *testing.F) {
	f.Add(byte(0), byte(8), "996555000001", []byte{4, 0x36}, []byte(nil), []byte(nil))
	f.Add(byte(0x40), byte(8), "996555000001", []byte{5, 0, 3, 7, 2, 1, 4, 0x36}, []byte(nil), []byte(nil))
	f.Add(byte(4), byte(0), "", []byte("id:0000000161 stat:DELIVRD text:"), []byte("A1\x00"), []byte{2})
	f.Add(byte(4), byte(0), "", []byte(nil), []byte("  \x00"), []byte{2})
	f.Add(byte(0), byte(4), "Beeline", []byte(nil), []byte(nil), []byte(nil))
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, class, coding byte, source string, short, id, state []byte) {
		d.clear()
		delivery := smpp.Delivery{ID: "link:1", Message: &smpp.Message{
			Class: class, Coding: coding, Source: smpp.Address{Digits: source}, Short: bytes.Clone(short),
		}, TLVs: smpp.TLVs{{Tag: smpp.TagReceiptedMessageID, Value: id}, {Tag: smpp.TagMessageState, Value: state}}}
		status, then := d.link.Handle(t.Context(), delivery)
		if then != nil {
			then(t.Context())
		}
		effects := len(d.inbox.taken) + min(len(d.reports.heard), 1)
		if effects == 0 && len(d.refused) == 0 || effects > 1 {
			t.Fatalf("%d effects, counted %q", effects, d.refused)
		}
		refused := slices.Contains(d.refused, "malformed") // an unknown coding is counted too, and answered
		if (status == smpp.StatusPermanent) != refused || status != smpp.StatusPermanent && status != smpp.StatusOK {
			t.Fatalf("answered %#x, counted %q", status, d.refused)
		}
		for _, heard := range d.reports.heard {
			if strings.HasPrefix(heard, " ") || strings.HasSuffix(heard, " ") {
				t.Fatalf("reported %q", heard)
			}
		}
	})
}
