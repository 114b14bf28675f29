package webhook_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// TestNothingIsSentBeforeAnAddressIsProved: nor is what happened meanwhile; while another address
// is not proved, events go on to the one that is.
func TestNothingIsSentBeforeAnAddressIsProved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r, next := newWorld(t, db), newReceiver(t), newReceiver(t)
		w.Clock.Set(time.Now())
		s, ctx := w.sender(true), t.Context()
		made, err := s.Set(ctx, wallet, r.URL)
		if err != nil || made.Proved {
			t.Fatalf("set: %+v, %v", made, err)
		}
		w.changed(wallet, "p1")
		w.OK(s.Send(ctx))
		if _, _, _, err := s.Replay(ctx, wallet, "", 10); r.count() != 0 || problem.From(err).Key != "problem.partner_webhook_absent" {
			t.Errorf("%d were sent to an address that nobody proved; a replay: %v", r.count(), err)
		}
		for name, answer := range map[string]string{
			"nothing": "", "its own word": `{"challenge":"x"}`, "no JSON": "challenge", "all that it got": "echo", "no end": `{"challenge":"` + strings.Repeat("a", 1<<20),
		} {
			r.silent, r.answer = true, func(rw http.ResponseWriter, _ *http.Request) {
				if answer == "echo" {
					answer = r.bodies[len(r.bodies)-1]
				}
				_, _ = rw.Write([]byte(answer))
			}
			if _, err := s.Probe(ctx, wallet); problem.From(err).Key != "problem.partner_webhook_silent" {
				t.Errorf("a server that answers with %s: %v", name, err)
			}
		}
		w.OK(w.verifies(r.got[0], r.bodies[0], made.Secret))
		asked := r.count()
		r.silent, r.answer = false, nil
		if proved, err := s.Probe(ctx, wallet); err != nil || !proved.Proved {
			t.Fatalf("proved: %+v, %v", proved, err)
		}
		next.silent = true
		if moved, err := s.Set(ctx, wallet, next.URL); err != nil || moved.Proved {
			t.Errorf("another address: %+v, %v", moved, err)
		}
		if _, err := s.Probe(ctx, wallet); problem.From(err).Key != "problem.partner_webhook_silent" {
			t.Errorf("the other one does not answer: %v", err)
		}
		w.changed(wallet, "p2")
		w.OK(s.Send(ctx))
		if r.count() != asked+1 || next.count() != 1 { // the challenge
			t.Errorf("%d were sent to the former address, %d requests came to the next", r.count()-asked, next.count())
		}
		next.silent = false
		w.hook(s, wallet, next)
		w.changed(wallet, "p3")
		w.OK(s.Send(ctx))
		if r.count() != asked+1 || next.count() != 2 {
			t.Errorf("%d were sent to the former address, %d requests came to the next", r.count()-asked, next.count())
		}
	})
}

// TestALateAnswerIsNone: a server that says 200 after the time is over has the event and gets it
// again; one whose headers never end is given no more time than any other.
func TestALateAnswerIsNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		s, ctx := w.sender(true), t.Context()
		w.hook(s, wallet, r)
		s.Wait(200 * time.Millisecond)
		late := make(chan struct{})
		r.answer = func(rw http.ResponseWriter, request *http.Request) {
			<-request.Context().Done() // we hung up
			rw.WriteHeader(http.StatusOK)
			close(late)
		}
		w.changed(wallet, "p1")
		w.OK(s.Send(ctx))
		<-late
		if n := w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'waiting' AND attempts = 1 AND status = 0"); n != 1 {
			t.Error("an answer that came too late was taken")
		}
		s.Wait(20 * time.Second)
		r.answers(http.StatusOK)
		w.Pass(5 * time.Second)
		w.OK(s.Send(ctx))
		if r.count() != 2 || r.got[0].Get("webhook-id") != r.got[1].Get("webhook-id") || w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'delivered'") != 1 {
			t.Errorf("%d deliveries", r.count())
		}
		s.Wait(200 * time.Millisecond)
		w.trickles(s)
	})
}

// trickles has the wallet's server send a header without an end, byte for byte.
func (w *world) trickles(s *webhook.Service) {
	w.T.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.OK(err)
	w.T.Cleanup(func() { _ = listener.Close() })
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, err = fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nX-Slow: ")
		for ; err == nil; _, err = conn.Write([]byte("a")) {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	ctx := w.T.Context()
	_, err = s.Set(ctx, wallet, "http://"+listener.Addr().String())
	w.OK(err)
	w.OK(w.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE partner_webhooks SET proved_url = url")
		return err
	}))
	w.changed(wallet, "p2")
	w.OK(s.Send(ctx))
	<-hungUp
	if n := w.Number("SELECT COUNT(*) FROM partner_deliveries WHERE state = 'waiting' AND attempts = 1 AND status = 0"); n != 1 {
		w.T.Error("a header without an end was taken for an answer")
	}
}

// TestAnOperatorPauses: nothing is sent, and the partner's probe does not end it.
func TestAnOperatorPauses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		s, ctx := w.sender(true), t.Context()
		w.hook(s, wallet, r)
		w.changed(wallet, "p1")
		w.OK(s.Pause(ctx, "staff:b", wallet))
		w.changed(wallet, "p2")
		w.OK(s.Send(ctx))
		if _, err := s.Probe(ctx, wallet); r.count() != 0 || problem.From(err).Key != "problem.partner_webhook_paused" {
			t.Errorf("%d were sent; a probe: %v", r.count(), err)
		}
		if problem.From(s.Pause(ctx, "staff:b", wallet)).Key != "problem.partner_webhook_absent" {
			t.Error("it was paused twice")
		}
		if list, err := s.List(ctx); err != nil || len(list) != 1 || list[0].Disabled != "paused" || list[0].URL != r.URL {
			t.Errorf("listed: %+v, %v", list, err)
		}
		w.OK(s.Resume(ctx, "staff:b", wallet))
		if problem.From(s.Resume(ctx, "staff:b", wallet)).Key != "problem.partner_webhook_absent" {
			t.Error("it was resumed twice")
		}
		if n, _, _, err := s.ReplayBy(ctx, "staff:b", wallet, "", 10); err != nil || n != 2 {
			t.Errorf("replayed %d, %v", n, err)
		}
		w.OK(s.Send(ctx))
		if r.count() != 2 {
			t.Errorf("%d were sent afterwards", r.count())
		}
		w.OK(w.compares())
	})
}

// compares compares the webhooks with the log.
func (w *world) compares() error {
	return w.DB.Snapshot(w.T.Context(), func(tx *sql.Tx) error { return w.compare(tx) })
}

func (w *world) compare(tx *sql.Tx) error {
	c := webhook.NewCompare(w.Audit)
	if _, err := w.Audit.Replay(w.T.Context(), tx, c.See); err != nil {
		return err
	}
	return c.Run(w.T.Context(), tx)
}

// TestFsckNamesARewrittenWebhook: whoever changes an address, whether it is proved, or how long a
// secret signs is found, and so is a webhook that came or went without a record.
func TestFsckNamesARewrittenWebhook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, r := newWorld(t, db), newReceiver(t)
		s, ctx := w.sender(true), t.Context()
		w.hook(s, wallet, r)
		_, err := s.Rotate(ctx, wallet)
		w.OK(err)
		w.hook(s, "gone-bank", r)
		_, err = s.Remove(ctx, "gone-bank")
		w.OK(err)
		w.OK(w.compares())
		plant := func(name, named string, statements ...string) storetest.Plant {
			return storetest.Plant{Name: name, Statements: statements, Named: []string{named}}
		}
		const other = "the webhook demo-wallet is otherwise than the audit record "
		all := []storetest.Plant{
			plant("url", other, "UPDATE partner_webhooks SET url = 'https://thief.example/'"),
			plant("proved_url", other, "UPDATE partner_webhooks SET proved_url = 'https://thief.example/'"),
			plant("made_at", other, "UPDATE partner_webhooks SET made_at = made_at + 1"),
			plant("a secret's end", other, "UPDATE partner_webhook_secrets SET not_after_at = NULL"),
			plant("a secret's name", other, "UPDATE partner_webhook_secrets SET id = id || '0'"),
			plant("a secret's number", other, "UPDATE partner_webhook_secrets SET n = n + 1 WHERE n = 2"),
			plant("removed", "the webhook demo-wallet is gone", "DELETE FROM partner_webhooks", "DELETE FROM partner_webhook_secrets"),
			plant("another partner's", "the audit log knows nothing of the webhook other-bank", "UPDATE partner_webhooks SET partner_id = 'other-bank'"),
			plant("come back", "the audit log knows nothing of the webhook gone-bank", "INSERT INTO partner_webhooks (partner_id, url, made_at, proved_url) VALUES ('gone-bank', 'https://thief.example/', 1, 'https://thief.example/')"),
		}
		storetest.Planted(t, db, all, w.compare)
		w.OK(w.DB.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE partner_webhooks SET proved_url = 'https://thief.example/'")
			return err
		}))
		_, err = s.Rotate(ctx, wallet) // a rightful change of something else makes nothing right
		w.OK(err)
		if err := w.compares(); err == nil || !strings.Contains(err.Error(), "the webhook demo-wallet was changed between the audit records ") {
			t.Errorf("after a rightful change: %v", err)
		}
	})
}
