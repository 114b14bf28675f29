package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// service is an application with one menu, one SMS and one payment code.
func service(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch {
		case r.URL.Path == "/partner/osmp":
			_, _ = fmt.Fprintf(w, "<response><osmp_txn_id>%s</osmp_txn_id><prv_txn>17</prv_txn><sum>1500.00</sum><result>0</result></response>", r.Form.Get("txn_id"))
		case r.URL.Path == "/sms/twilio":
			_, _ = io.WriteString(w, "<Response><Message>Кызматтар: 1 Айыптар</Message></Response>")
		case r.Form.Get("text") == "":
			_, _ = io.WriteString(w, "CON Кызматтар\n1 Айыптар\n2 Маалымкаттар\n3 Бала бакча кезеги\n4 Тил")
		default:
			_, _ = io.WriteString(w, "END Рахмат")
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// browser opens Chromium and collects what goes wrong in it: script errors, and
// requests to another host than ours.
func browser(t *testing.T, ours string) (ctx context.Context, wrong func() []string) {
	t.Helper()
	found := make(chan string, 1000)
	listen := func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			found <- "script: " + e.ExceptionDetails.Text
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, ours) && !strings.HasPrefix(e.Request.URL, "data:") {
				found <- "asked another host: " + e.Request.URL
			}
		}
	}
	ctx, stopTime := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stopTime)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(listen))
	t.Cleanup(stopTab)
	return ctx, func() (out []string) {
		for len(found) > 0 {
			out = append(out, <-found)
		}
		return out
	}
}

// shot keeps a picture where ESHIK_SHOTS names a folder, for people to look at.
func shot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		dir := os.Getenv("ESHIK_SHOTS")
		if dir == "" {
			return nil
		}
		picture, err := chromedp.FullScreenshot(100)(ctx, tab)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	})
}

// shows waits until the element's text holds the given one. The page's policy
// forbids chromedp.Poll its eval.
func shows(id, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			now, err := chromedp.Evaluate[string](fmt.Sprintf("document.getElementById(%q).textContent", id))(ctx, tab)
			if err != nil {
				return err
			}
			if strings.Contains(now, text) {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("#%s shows %q, not %q", id, now, text)
			}
		}
	})
}

func TestPhonePageInABrowser(t *testing.T) {
	t.Parallel()
	app := service(t)
	b, err := newBox(options{App: app.URL, Number: "1414", Data: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(b.handler)
	t.Cleanup(func() {
		srv.Close()
		_ = b.close()
	})
	ctx, wrong := browser(t, srv.URL)
	err = chromedp.Do(ctx,
		chromedp.EmulateViewport(360, 800, chromedp.EmulateMobile),
		chromedp.Navigate(srv.URL+"/phone?lang=ky"), shot("ky-start"),
		// The keyboard alone: the code is there, Enter dials, the answer box has the focus.
		chromedp.Focus(chromedp.CSS("#entry")), chromedp.KeyEvent(kb.Enter),
		shows("screen", "3 Бала бакча кезеги"), shows("count", "60 / 80"), shows("encoding", "UCS-2"), shot("ky-menu"),
		chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter), shows("screen", "Рахмат"), shows("note", "Байланыш бүттү"),
		chromedp.Navigate(srv.URL+"/phone?lang=ru"), chromedp.Click(chromedp.CSS("#tab-sms")),
		chromedp.SendKeys(chromedp.CSS("#body"), "меню"), shows("body-count", "4 / 70"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter),
		shows("thread", "Кызматтар: 1 Айыптар"), shows("thread", "частей: 1"), shot("ru-sms"),
		chromedp.Focus(chromedp.CSS("#tab-sms")), chromedp.KeyEvent(kb.ArrowRight),
		chromedp.SendKeys(chromedp.CSS("#code"), "10012345"+kb.Enter), shows("pay-note", "Оплачено"), shows("out-sum", "1500.00"), shot("ru-wallet"),
	)
	if err != nil {
		t.Fatalf("%v (found in the browser: %q)", err, wrong())
	}
	if width, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); err != nil || width > 360 {
		t.Errorf("the page is %d pixels wide (%v), the screen 360", width, err)
	}
	for _, w := range wrong() {
		t.Error(w)
	}
}
