package sandbox

import (
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"
)

func osmp(p post, result int, sum, prv string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><response><osmp_txn_id>%s</osmp_txn_id><prv_txn>%s</prv_txn><sum>%s</sum><result>%d</result><comment>c</comment></response>`,
		p.form.Get("txn_id"), prv, sum, result)
}

func TestWalletPays(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	pays := 0
	a := newApp(t, func(p post) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if p.form.Get("command") == "check" {
			return 200, osmp(p, 0, "1500.00", "")
		}
		switch pays++; pays {
		case 1:
			return 200, osmp(p, 1, "1500.00", "")
		case 2:
			return 503, ""
		case 3:
			return 200, osmp(p, 90, "1500.00", "77")
		}
		return 200, osmp(p, 0, "1500.00", "77")
	})
	_, srv := newPhones(t, a, nil)
	var o PaymentOutcome
	call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"10012345","phone":"`+aigul+`"}`, &o)
	if o.State != walletPaid || o.Result != 0 || o.Sum != "1500.00" || o.PrvTxn != "77" || o.Tries != 5 {
		t.Errorf("outcome %+v", o)
	}
	posts := a.heard("/partner/osmp")
	for i, p := range posts {
		if p.form.Get("txn_id") != o.TxnID || p.form.Get("account") != "10012345" || p.user != "demo-wallet" || p.password != "s3cret" {
			t.Errorf("request %d: %v by %s", i, p.form, p.user)
		}
	}
	if posts[1].form.Encode() != posts[4].form.Encode() || posts[1].form.Get("sum") != "1500.00" || len(posts[1].form.Get("txn_date")) != 14 {
		t.Errorf("retries differ: %v and %v", posts[1].form, posts[4].form)
	}
}

func TestWalletRefused(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(p post) (int, string) { return 200, osmp(p, 5, "", "") })
	_, srv := newPhones(t, a, nil)
	var o PaymentOutcome
	call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"999"}`, &o)
	if o.State != walletRefused || o.Result != 5 || o.Tries != 1 {
		t.Errorf("outcome %+v", o)
	}
	var no refusal
	if status := call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"12a"}`, &no); status != 400 {
		t.Errorf("letters in a code: %d", status)
	}
}

func TestWalletKeepsTryingInTheBackground(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	up := false
	a := newApp(t, func(p post) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if p.form.Get("command") == "check" {
			return 200, osmp(p, 0, "10.00", "")
		}
		if !up {
			return 200, osmp(p, 1, "", "")
		}
		return 200, osmp(p, 0, "10.00", "8")
	})
	_, srv := newPhones(t, a, func(c *PhonesConfig) { c.WalletWait = 20 * time.Millisecond })
	var o PaymentOutcome
	call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"1"}`, &o)
	if o.State != walletGoing {
		t.Fatalf("outcome %+v", o)
	}
	mu.Lock()
	up = true
	mu.Unlock()
	eventually(t, "the wallet's payment", func() bool {
		call(t, "GET", srv.URL+"/sandbox/wallet/payments?txn_id="+url.QueryEscape(o.TxnID), "", &o)
		return o.State == walletPaid
	})
}

func TestWalletWaitsLongerEachTime(t *testing.T) {
	t.Parallel()
	w, _, err := newWallet(PhonesConfig{WalletPause: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for try, want := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := w.wait(try).Seconds(); got != want {
			t.Errorf("before retry %d: %v s, want %v s", try+1, got, want)
		}
	}
}

// A wallet killed between its pay and the answer asks again with the same
// txn_id, sum and date; a pay that ended is left alone.
func TestWalletTakesUpItsPaysAfterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	up := false
	a := newApp(t, func(p post) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case p.form.Get("command") == "check":
			return 200, osmp(p, 0, "10.00", "")
		case p.form.Get("account") == "1" && !up:
			return 503, ""
		}
		return 200, osmp(p, 0, "10.00", "8")
	})
	folder := func(c *PhonesConfig) { c.Dir, c.WalletWait = dir, 200*time.Millisecond }
	p, srv := newPhones(t, a, folder)
	var ended, going PaymentOutcome
	call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"2"}`, &ended)
	call(t, "POST", srv.URL+"/sandbox/wallet/payments", `{"code":"1"}`, &going)
	if ended.State != walletPaid || going.State != walletGoing {
		t.Fatalf("outcomes %+v, %+v", ended, going)
	}
	p.cancel()
	p.background.Wait()
	mu.Lock()
	up = true
	mu.Unlock()
	before := len(a.heard("/partner/osmp"))
	p, srv = newPhones(t, a, folder)
	p.Resume()
	eventually(t, "the pay after the restart", func() bool {
		return call(t, "GET", srv.URL+"/sandbox/wallet/payments?txn_id="+going.TxnID, "", &going) == 200 && going.State == walletPaid
	})
	first, again := a.heard("/partner/osmp")[3], a.heard("/partner/osmp")[before:]
	if len(again) != 1 || again[0].form.Encode() != first.form.Encode() {
		t.Errorf("asked %v, want %v once", again, first.form)
	}
}
