package certificate_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

func request(t testing.TB, h *world, turn string, kind certificate.Kind) certificate.Certificate {
	t.Helper()
	return must[certificate.Certificate](t)(h.Request(t.Context(), aigul(turn), kind))
}

// TestRequest asks for a certificate, reads its text message, and asks again.
func TestRequest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.Work()
		got := request(t, h, "t1", certificate.Residential)
		if again := request(t, h, "t1", certificate.Residential); again != got {
			t.Errorf("the same turn gives %+v and %+v", got, again)
		}
		_, err := h.Request(t.Context(), aigul("t1"), certificate.Family)
		testworld.Refused(t, err, "problem.certificate_repeated")
		other := request(t, h, "t2", certificate.Family)
		if got.State != certificate.Issued || other.Number == got.Number || h.register.calls != 2 {
			t.Errorf("%+v and %+v after %d calls", got, other, h.register.calls)
		}
		deadline := time.Now().Add(10 * time.Second)
		for len(h.Phones.Texts()) < 2 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		texts := strings.Join(h.Phones.Texts(), "\n")
		if len(h.Phones.Texts()) != 2 || !strings.Contains(texts, certificate.ShowNumber(got.Number)) ||
			!strings.Contains(texts, "Маалымкат даяр: Үй-бүлө курамы. Номери: "+certificate.ShowNumber(other.Number)) {
			t.Errorf("the messages are %q", texts)
		}
		if n := h.Number("SELECT count(*) FROM analytics_events WHERE service = 'certificate' AND outcome = 'done'"); n != 2 {
			t.Errorf("%d events", n)
		}
		list := must[[]certificate.Certificate](t)(h.List(t.Context(), aigul("")))
		if len(list) != 2 {
			t.Errorf("the list is %+v", list)
		}
		if _, err := h.Audit.Seal(t.Context()); err != nil {
			t.Error(err)
		}
		if err := h.Audit.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestAtOnce sends one turn many times at once: one certificate, one message.
func TestAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		numbers := make([]string, 16)
		var group sync.WaitGroup
		for i := range numbers {
			group.Go(func() { numbers[i] = request(t, h, "same", certificate.Family).Number })
		}
		group.Wait()
		for _, n := range numbers {
			if n == "" || n != numbers[0] {
				t.Fatalf("the numbers are %q", numbers)
			}
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM certificates": 1, "SELECT count(*) FROM notify_messages": 1,
			"SELECT count(*) FROM analytics_events WHERE step = 'issue_family'": 1,
		} {
			if n := h.Number(query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
	})
}

// TestOrderedAgain: who dials again because the answer got lost is given the same
// certificate, and no second message; a program's new request is a new one.
func TestOrderedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		first := request(t, h, "t1", certificate.Residential)
		for _, c := range []struct {
			name    string
			channel caller.Channel
			passed  time.Duration
			same    bool
		}{
			{"by text", caller.SMS, 2 * time.Minute, true},
			{"redial", caller.USSD, 9 * time.Minute, true},
			{"redial", caller.USSD, 9 * time.Minute, true}, // the gateway's retry
			{"a program", caller.REST, 9 * time.Minute, false},
			{"later", caller.USSD, 20 * time.Minute, false},
		} {
			again := aigul(c.name)
			again.Channel, again.Now = c.channel, noon.Add(c.passed)
			got := must[certificate.Certificate](t)(h.Request(t.Context(), again, certificate.Residential))
			if same := got.Number == first.Number; same != c.same {
				t.Errorf("%s: %s after %s", c.name, got.Number, first.Number)
			}
		}
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 3 {
			t.Errorf("%d messages of 3 certificates", n)
		}
	})
}

// TestOrderedFromAnotherPhone: the other phone of a citizen gets the number too, once.
func TestOrderedFromAnotherPhone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		first := request(t, h, "t1", certificate.Residential)
		for _, turn := range []string{"t2", "t2", "t3"} {
			again := aigul(turn)
			again.Phone, again.Channel, again.Now = "+996700000002", caller.USSD, noon.Add(time.Minute)
			got := must[certificate.Certificate](t)(h.Request(t.Context(), again, certificate.Residential))
			if got.Number != first.Number {
				t.Errorf("%s is another certificate than %s", got.Number, first.Number)
			}
		}
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 2 {
			t.Errorf("%d messages to two phones", n)
		}
	})
}

// TestFinishedByAnotherPhone: the phone that ordered gets the number by SMS also where
// the other phone's text finds the certificate unfinished.
func TestFinishedByAnotherPhone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.signer.fails = true
		if _, err := h.Request(t.Context(), aigul("t1"), certificate.Residential); err == nil {
			t.Fatal("issued without a signature")
		}
		h.signer.fails = false
		other := aigul("t2")
		other.Phone, other.Channel, other.Now = "+996700000002", caller.SMS, noon.Add(10*time.Second)
		must[certificate.Certificate](t)(h.Request(t.Context(), other, certificate.Residential))
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 1 {
			t.Errorf("%d messages to the phone that ordered", n)
		}
	})
}

// TestS2FinishedAfterARelease: a certificate that is finished when its phone got
// another holder is issued, and told to nobody.
func TestS2FinishedAfterARelease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.signer.fails = true
		if _, err := h.Request(t.Context(), aigul("t1"), certificate.Residential); err == nil {
			t.Fatal("issued without a signature")
		}
		h.signer.fails, h.proofs.released = false, true
		if got := request(t, h, "t1", certificate.Residential); got.State != certificate.Issued {
			t.Errorf("%+v", got)
		}
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 0 {
			t.Errorf("%d messages to the stranger", n)
		}
	})
}

// TestDiesBeforeSigning shows that an intent survives: the citizen's next try in
// the same turn finishes it, or the job queue does.
func TestDiesBeforeSigning(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.signer.fails = true
		for turn, kind := range map[string]certificate.Kind{"t1": certificate.Residential, "t2": certificate.Family} {
			if _, err := h.Request(t.Context(), aigul(turn), kind); err == nil {
				t.Fatal("issued without a signature")
			}
		}
		if list := must[[]certificate.Certificate](t)(h.List(t.Context(), aigul(""))); len(list) != 0 {
			t.Errorf("listed before they were signed: %+v", list)
		}
		h.signer.fails = false
		request(t, h, "t1", certificate.Residential)
		if h.register.calls != 2 {
			t.Errorf("the register was asked %d times", h.register.calls)
		}
		h.Work() // the test's moment is long past: the work is due
		deadline := time.Now().Add(20 * time.Second)
		for h.Number("SELECT count(*) FROM certificates WHERE state = 'issued'") < 2 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		if n := h.Number("SELECT count(*) FROM certificates WHERE state = 'issued'"); n != 2 {
			t.Errorf("%d are issued", n)
		}
	})
}

// TestVerify asks for a number, a QR code's text, and both after a revocation.
func TestVerify(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		ctx, stranger := t.Context(), caller.Caller{Channel: caller.Web, Now: noon}
		issued := request(t, h, "t1", certificate.Residential)
		view := must[certificate.View](t)(h.Verify(ctx, stranger, strings.ToLower(certificate.ShowNumber(issued.Number))))
		if view.Initials != "А. А. Б." || view.BirthYear != "1988" || !view.Valid() || view.Kind != certificate.Residential {
			t.Errorf("the view is %+v", view)
		}
		_, err := h.Verify(ctx, stranger, "K7MN")
		testworld.Refused(t, err, "problem.certificate_number")
		_, err = h.Verify(ctx, stranger, certificate.AnyNumber(t))
		testworld.Refused(t, err, "problem.certificate_not_found")

		_, err = h.PDF(ctx, stranger, issued.Number)
		testworld.Refused(t, err, "problem.certificate_identify")
		stranger.Subject, stranger.Level = "somebody else", caller.LevelStrong
		_, err = h.PDF(ctx, stranger, issued.Number)
		testworld.Refused(t, err, "problem.certificate_not_found")

		if err := h.Revoke(ctx, staff.Act{Actor: "officer", Reason: "an error"}, caller.Caller{Subject: "officer", Now: noon.Add(time.Hour)}, issued.Number); err != nil {
			t.Fatal(err)
		}
		if view, err := h.Verify(ctx, stranger, issued.Number); err != nil || view.Valid() {
			t.Errorf("after the revocation: %+v, %v", view, err)
		}
		_, err = h.PDF(ctx, aigul(""), issued.Number)
		testworld.Refused(t, err, "problem.certificate_revoked")
		h.Work()
		testworld.Eventually(t, "the holder's phones are told", func() bool {
			return strings.Count(strings.Join(h.Phones.Texts(), "\n"), certificate.ShowNumber(issued.Number)) == 3 // the certificate's own, and two
		})
	})
}

// TestRefusals are requests that must not become certificates.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	nobody := aigul("t1")
	nobody.Subject = ""
	_, err := h.Request(t.Context(), nobody, certificate.Residential)
	testworld.Refused(t, err, "problem.certificate_identify")
	_, err = h.Request(t.Context(), aigul("t1"), "criminal")
	testworld.Refused(t, err, "problem.certificate_kind")
	if n := h.Number("SELECT count(*) FROM certificates"); n != 0 {
		t.Errorf("%d certificates", n)
	}
}

// TestNothingPersonalInPlain looks for what is personal in every column.
func TestNothingPersonalInPlain(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	request(t, h, "t1", certificate.Residential)
	for _, secret := range []string{"Асанова", "Достук", pin, phone} {
		query := "SELECT count(*) FROM certificates WHERE instr(CAST(intent_sealed AS BLOB), CAST($1 AS BLOB)) > 0" +
			" OR instr(CAST(signed_sealed AS BLOB), CAST($1 AS BLOB)) > 0 OR instr(id || number || request_key || citizen_id, $1) > 0"
		if n := h.Number(query, secret); n != 0 {
			t.Errorf("%d rows hold %q", n, secret)
		}
	}
}
