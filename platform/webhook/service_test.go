package webhook_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// sender is a Service; loopback is that of the sandbox.
func (w *world) sender(loopback bool) *webhook.Service {
	w.T.Helper()
	s, err := webhook.New(webhook.Deps{
		DB: w.DB, Events: w.events, Partners: w, Sealer: w.Sealer, Trail: w.Trail, Now: w.Clock.Now, Random: rand.Reader, Log: w.Log, Loopback: loopback,
	})
	w.OK(err)
	return s
}

// changed is a payment of the partner's that changed, ready to be sent.
func (w *world) changed(partner, payment string) {
	w.T.Helper()
	w.OK(w.happens(partner, payment, 0))
	w.OK(w.events.Number(w.T.Context()))
}

const verify = `
const { Webhook } = require("standardwebhooks");
for (const d of JSON.parse(require("fs").readFileSync(0, "utf8"))) new Webhook(d.secret).verify(d.body, d.headers);
console.log("verified");`

// verifies has the npm package of Standard Webhooks verify a delivery by each of the secrets.
func (w *world) verifies(header http.Header, body string, secrets ...string) error {
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		w.T.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = header.Get(name)
	}
	var all []any
	for _, secret := range secrets {
		all = append(all, map[string]any{"secret": secret, "body": body, "headers": headers})
	}
	input, err := json.Marshal(all)
	w.OK(err)
	node := exec.CommandContext(w.T.Context(), "node", "-e", verify) // #nosec G204 -- our own program
	node.Env, node.Stdin = append(os.Environ(), "NODE_PATH="+modules), strings.NewReader(string(input))
	out, err := node.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestADeliveryIsVerified: what is sent is verified by an implementation of others, also by both
// secrets while one follows the other, and no longer by the former a day later.
func TestADeliveryIsVerified(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		w.Clock.Set(time.Now())
		s, ctx := w.sender(true), t.Context()
		made := w.hook(s, wallet, r)
		again, err := s.Set(ctx, wallet, r.URL)
		if err != nil || again.Secret != "" || !strings.HasPrefix(made.Secret, "whsec_") {
			t.Fatalf("%+v, %v", again, err)
		}
		w.changed(wallet, "p1")
		w.OK(s.Send(ctx))
		w.OK(s.Send(ctx))
		if r.count() != 1 {
			t.Fatalf("%d deliveries", r.count())
		}
		w.OK(w.verifies(r.got[0], r.bodies[0], made.Secret))
		if w.verifies(r.got[0], r.bodies[0]+" ", made.Secret) == nil || !strings.Contains(r.bodies[0], `"type":"payment.settled"`) {
			t.Errorf("an altered body is verified: %s", r.bodies[0])
		}
		next, err := s.Rotate(ctx, wallet)
		w.OK(err)
		w.changed(wallet, "p2")
		w.OK(s.Send(ctx))
		w.OK(w.verifies(r.got[1], r.bodies[1], made.Secret, next.Secret))
		w.Pass(25 * time.Hour)
		w.changed(wallet, "p3")
		w.OK(s.Send(ctx))
		if n := len(strings.Fields(r.got[2].Get("webhook-signature"))); n != 1 {
			t.Errorf("a day later %d secrets sign", n)
		}
		if strings.Contains(fmt.Sprint(w.Number("SELECT COUNT(*) FROM partner_webhook_secrets WHERE sealed = $1", []byte(made.Secret))), "1") {
			t.Error("a secret is kept as it is")
		}
	})
}

// TestTriesAgain: what is not answered by 2xx is sent again on the schedule of Standard Webhooks,
// and then given up; one that nothing gets through to for days is disabled, and a probe that is answered enables it.
func TestTriesAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		s, ctx := w.sender(true), t.Context()
		w.hook(s, wallet, r)
		r.answers(http.StatusFound) // a redirect is no success
		w.changed(wallet, "p1")
		for i, wait := range []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
			if wait > 0 {
				w.Pass(wait - time.Second)
				w.OK(s.Send(ctx))
				if r.count() != i {
					t.Fatalf("try %d came before %v", i+1, wait)
				}
			}
			w.Pass(time.Second)
			w.OK(s.Send(ctx))
			if r.count() != i+1 {
				t.Fatalf("after %v there were %d tries, want %d", wait, r.count(), i+1)
			}
		}
		if got, err := s.Get(ctx, wallet); err != nil || got.Disabled != "failing" {
			t.Errorf("after three days: %+v, %v", got, err)
		}
		w.changed(wallet, "p2")
		w.OK(s.Send(ctx))
		if _, err := s.Probe(ctx, wallet); problem.From(err).Key != "problem.partner_webhook_silent" {
			t.Errorf("a probe that is not answered: %v", err)
		}
		if n := r.count(); n != 11 {
			t.Errorf("%d requests: what is disabled gets the probe alone", n)
		}
		if _, _, _, err := s.Replay(ctx, wallet, "", 10); problem.From(err).Key != "problem.partner_webhook_absent" {
			t.Errorf("a replay while it is disabled: %v", err)
		}
		r.answers(http.StatusOK)
		if got, err := s.Probe(ctx, wallet); err != nil || got.Disabled != "" {
			t.Errorf("a probe: %+v, %v", got, err)
		}
		n, last, more, err := s.Replay(ctx, wallet, "", 10)
		w.OK(s.Send(ctx))
		if err != nil || n != 2 || last == "" || more || r.count() != 13 {
			t.Errorf("replayed %d up to %s, %t, %v; %d requests", n, last, more, err, r.count())
		}
		r.answers(http.StatusGone)
		w.changed(wallet, "p3")
		w.OK(s.Send(ctx))
		if got, err := s.Get(ctx, wallet); err != nil || got.Disabled != "gone" {
			t.Errorf("after 410: %+v, %v", got, err)
		}
	})
}

// TestTwoServersAndASlowOne: two servers that send at once double nothing, a killed one's event
// is taken up, and a partner that never answers holds up no other.
func TestTwoServersAndASlowOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r, slow := newWorld(t, db), newReceiver(t), newReceiver(t)
		one, two := w.sender(true), w.sender(true)
		held := make(chan struct{})
		slow.answer = func(http.ResponseWriter, *http.Request) { <-held }
		w.hook(one, wallet, r)
		w.hook(one, "slow-bank", slow)
		const events = 60
		for i := range events {
			w.OK(w.happens(wallet, fmt.Sprint("p", i), 0))
			w.OK(w.happens("slow-bank", fmt.Sprint("s", i), 0))
		}
		w.OK(w.events.Number(t.Context()))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, s := range []*webhook.Service{one, two} {
			running.Go(func() { _ = s.Run(ctx) })
		}
		const delivered = "SELECT COUNT(*) FROM partner_deliveries WHERE partner_id = $1 AND state = 'delivered'"
		for end := time.Now().Add(20 * time.Second); w.Number(delivered, wallet) < events && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		stop()
		close(held)
		running.Wait()
		if r.count() != events {
			t.Errorf("%d deliveries of %d", r.count(), events)
		}
		if n := w.Number(delivered, wallet); n != events {
			t.Errorf("%d are delivered", n)
		}
		w.Pass(2 * time.Minute) // the leases of those that were stopped are over
		slow.answers(http.StatusOK)
		w.OK(one.Send(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state <> 'delivered'"); n != 0 {
			t.Errorf("%d are lost", n)
		}
	})
}

// TestWhoIsDisabledIsSentNothing: from then on, also of what was under way; and what was given up
// meanwhile is not sent by itself when they are dealt with again.
func TestWhoIsDisabledIsSentNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		s, ctx := w.sender(true), t.Context()
		w.hook(s, wallet, r)
		w.disabled.Store(wallet, true)
		w.changed(wallet, "p")
		w.changed(wallet, "q")
		before := r.count()
		w.OK(s.Send(ctx))
		if n := r.count(); n != before || w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'given_up'") != 2 {
			t.Errorf("%d events were sent to who is disabled", n-before)
		}
		w.disabled.Delete(wallet)
		w.OK(s.Send(ctx))
		w.changed(wallet, "r")
		w.OK(s.Send(ctx))
		if n := r.count(); n != before+1 {
			t.Errorf("%d events were sent afterwards, want the one that came then", n-before)
		}
	})
}

// TestWhereNothingIsSent: private, mapped and named addresses of ours are refused when they are
// registered, and again when they are dialled.
func TestWhereNothingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	s, sandbox, ctx := w.sender(false), w.sender(true), t.Context()
	for _, address := range []string{
		"http://8.8.8.8/", "https://localhost/", "https://127.0.0.1/", "https://127.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/",
		"https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fe80::1%25lo]/",
		"https://[fd00::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[2001::1]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/",
		"https://255.255.255.255/", "https://user:secret@8.8.8.8/", "https://8.8.8.8/#x", "ftp://8.8.8.8/", "file:///etc/passwd", "https:///x", "https://8.8.8.8:0/", "https://8.8.8.8:99999/", "https://nowhere.invalid/",
		"https://8.8.8.8/" + strings.Repeat("x", 500),
	} {
		if _, err := s.Set(ctx, wallet, address); problem.From(err).Key != "problem.partner_webhook_address" {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := sandbox.Set(ctx, wallet, "http://8.8.8.8/"); problem.From(err).Key != "problem.partner_webhook_address" {
		t.Errorf("http to others in the sandbox: %v", err)
	}
	if made, err := s.Set(ctx, "far-bank", "https://8.8.8.8/hook"); err != nil || made.Secret == "" {
		t.Errorf("a public address: %+v, %v", made, err)
	}
	// The name was good when it was registered, and leads here when it is dialled.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.OK(err)
	var dialled atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	_, err = sandbox.Set(ctx, wallet, strings.Replace("https://"+listener.Addr().String(), "127.0.0.1", "localhost", 1))
	w.OK(err)
	w.OK(w.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE partner_webhooks SET proved_url = url")
		return err
	}))
	w.changed(wallet, "p")
	w.OK(s.Send(ctx))
	if dialled.Load() != 0 || w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE partner_id = $1 AND state = 'waiting' AND attempts = 1 AND status = 0", wallet) != 1 {
		t.Error("something was sent to this computer")
	}
	for _, do := range []func(context.Context, string) (webhook.Webhook, error){s.Get, s.Remove, s.Rotate, s.Probe} {
		if _, err := do(ctx, "no-hook"); problem.From(err).Key != "problem.partner_webhook_absent" {
			t.Errorf("of who has none: %v", err)
		}
	}
	_, err = s.Remove(ctx, wallet)
	w.OK(err)
	if n := w.Number("SELECT COUNT(*) FROM partner_webhook_secrets WHERE partner_id = $1", wallet); n != 0 {
		t.Errorf("%d secrets are left", n)
	}
}

// TestAnswersThatNeverEnd: the head decides, a body without an end costs nothing, and a redirect
// is not followed.
func TestAnswersThatNeverEnd(t *testing.T) {
	t.Parallel()
	w, r, other := newWorld(t, storetest.Open(t, storetest.NewSQLite(t))), newReceiver(t), newReceiver(t)
	s, ctx := w.sender(true), t.Context()
	w.hook(s, wallet, r)
	r.answer = func(rw http.ResponseWriter, request *http.Request) {
		for request.Context().Err() == nil {
			if _, err := rw.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}
	w.changed(wallet, "p1")
	began := time.Now()
	w.OK(s.Send(ctx))
	if n := w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'delivered'"); n != 1 || time.Since(began) > 10*time.Second {
		t.Errorf("%d delivered after %v", n, time.Since(began))
	}
	r.answer = func(rw http.ResponseWriter, request *http.Request) {
		http.Redirect(rw, request, other.URL, http.StatusTemporaryRedirect)
	}
	w.changed(wallet, "p2")
	w.OK(s.Send(ctx))
	if other.count() != 0 {
		t.Error("a redirect was followed")
	}
	r.answer = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "7200")
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Pass(5 * time.Second)
	w.OK(s.Send(ctx))
	n := r.count()
	w.Pass(time.Hour)
	w.OK(s.Send(ctx))
	if r.count() != n {
		t.Error("Retry-After was not waited for")
	}
	w.Clock.Set(w.Clock.Now().Add(-48 * time.Hour)) // the clock is set back: what is due waits for no two days
	w.OK(s.Send(ctx))
	if r.count() != n+1 {
		t.Error("a clock that was set back keeps events for days")
	}
}

// TestATryIsOneServers: while one server waits for an answer another sends nothing of it; when
// the first was killed, the event is taken up.
func TestATryIsOneServers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		one, two := w.sender(true), w.sender(true)
		w.hook(one, wallet, r)
		held := make(chan struct{})
		r.answer = func(http.ResponseWriter, *http.Request) { <-held }
		w.changed(wallet, "p")
		killed, kill := context.WithCancel(t.Context())
		var sending sync.WaitGroup
		sending.Go(func() { _ = one.Send(killed) })
		for end := time.Now().Add(10 * time.Second); r.count() == 0 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		w.OK(two.Send(t.Context()))
		if n := r.count(); n != 1 {
			t.Errorf("%d tries at once", n)
		}
		kill()
		sending.Wait()
		close(held)
		w.Pass(time.Minute)
		w.OK(two.Send(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'delivered'"); n != 1 || r.count() != 2 {
			t.Errorf("%d delivered after %d tries", n, r.count())
		}
	})
}
