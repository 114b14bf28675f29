package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser opens Chromium and collects what goes wrong in it: script errors,
// lines on the console, answers that are errors, and requests to another host.
func browser(t *testing.T, ours string, flags ...chromedp.ExecAllocatorOption) (ctx context.Context, wrong func() []string) {
	t.Helper()
	path := os.Getenv("ESHIK_TEST_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no browser: %v; install chromium, or name one in ESHIK_TEST_CHROMIUM", err)
	}
	found := make(chan string, 1000)
	listen := func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			found <- "script: " + e.ExceptionDetails.Text
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				found <- fmt.Sprintf("console: %s", e.Args[0].Value)
			}
		case *log.EventEntryAdded: // the browser's own words: a refused script, a missing file
			if e.Entry.Level == log.EntryLevelError {
				found <- "console: " + e.Entry.Text
			}
		case *network.EventRequestWillBeSent:
			if !local(e.Request.URL, ours) {
				found <- "asked another host: " + e.Request.URL
			}
		case *network.EventResponseReceived:
			if e.Response.Status >= 400 {
				found <- fmt.Sprintf("%s: %d", e.Response.URL, e.Response.Status)
			}
		}
	}
	ctx, stopTime := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(stopTime)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(ctx, append(options, flags...)...)
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

// local reports an address that is on our server, or inside the page.
func local(address, ours string) bool {
	u, err := url.Parse(address)
	return err == nil && (strings.HasPrefix(address, ours+"/") || u.Scheme == "data" || u.Scheme == "blob" || address == "about:blank")
}

// shot keeps a picture where ESHIK_SHOTS names a folder, for people to look at.
func shot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		folder := os.Getenv("ESHIK_SHOTS")
		if folder == "" {
			return nil
		}
		picture, err := chromedp.FullScreenshot(100)(ctx, tab)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)
	})
}

// shows waits until what script finds matches pattern. The pages' policy forbids
// chromedp.Poll its eval.
func shows(script, pattern string) chromedp.Action[chromedp.Void] {
	wanted := regexp.MustCompile(pattern)
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(30 * time.Millisecond) {
			now, err := chromedp.Evaluate[string](script)(ctx, tab)
			if err != nil && !leaves(err) {
				return err
			}
			if err == nil && wanted.MatchString(now) {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s is %q, not %q", script, now, pattern)
			}
		}
	})
}

// leaves reports that the page was left while it was asked: the next one is waited for.
func leaves(err error) bool { return strings.Contains(err.Error(), "navigated or closed") }

// says is shows of an element's text.
func says(id, pattern string) chromedp.Action[chromedp.Void] {
	return shows(fmt.Sprintf("document.getElementById(%q)?.textContent ?? ''", id), pattern)
}

// tried is what the reference shows of an operation that one tried.
func tried(operation string) string {
	return fmt.Sprintf("document.getElementById(%q).closest('article').querySelector('form').textContent.replace(/\\s+/g, ' ')", operation)
}

// fits fails when the page is wider than the screen.
func fits() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		width, err := chromedp.Evaluate[int]("document.documentElement.scrollWidth")(ctx, tab)
		if err == nil && width > 360 {
			err = fmt.Errorf("the page is %d pixels wide, the screen 360", width)
		}
		return err
	})
}

// TestPagesInABrowser opens the pages of the built binary on a small phone.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for name, actions := range map[string][]chromedp.Action[chromedp.Void]{
		// The keyboard alone: the code is in the box, Enter dials, the box keeps
		// the focus.
		"phone": {
			chromedp.Navigate(d.url + "/phone?lang=ky"), chromedp.Focus(chromedp.CSS("#entry")), shot("phone-ky-start"),
			chromedp.KeyEvent(kb.Enter), says("screen", "Тил / Язык"), says("count", `^\d+ / 80$`),
			chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter), says("screen", "^Эшик\n1 Айып пулдар"), says("count", `^69 / 80$`),
			says("encoding", "UCS-2"), fits(), shot("phone-ky-menu"),
			chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter), says("screen", "01KG123ABC"),
			chromedp.KeyEvent("01kg123abc"), chromedp.KeyEvent(kb.Enter), says("screen", "3 айып"), says("count", `^\d+ / 80$`), shot("phone-ky-fines"),
			chromedp.Focus(chromedp.CSS("#tab-ussd")), chromedp.KeyEvent(kb.ArrowRight),
			chromedp.SendKeys(chromedp.CSS("#body"), "айып 01KG123ABC"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter),
			says("thread", "Баары: 10 000 с."), fits(), shot("phone-ky-sms"),
		},
		"phone in Russian": {
			chromedp.Navigate(d.url + "/phone?lang=ru#wallet"), shows("document.documentElement?.lang ?? ''", "^ru$"),
			chromedp.SendKeys(chromedp.CSS("#code"), "0000000000"+kb.Enter), says("pay-note", "Не оплачено"), fits(), shot("phone-ru-wallet"),
		},
		"reference": {
			chromedp.Navigate(d.url + "/docs?lang=ru"), fits(),
			// An operation without a token, and one that needs it.
			run(`for (const d of document.querySelectorAll(".try")) d.open = true`),
			run(`document.getElementById("usage-from").value = "2026-11-0"`),
			chromedp.SendKeys(chromedp.CSS("#usage-from"), "1"+kb.Enter), shows(tried("usage"), "200 OK"),
			run(`document.querySelector("#listDistricts ~ .try form").requestSubmit()`), shows(tried("listDistricts"), `200 OK.*"code": "`),
			run(`document.querySelector("#listFines ~ .try form").requestSubmit()`), shows(tried("listFines"), "Сначала введите токен"),
			shows(`document.activeElement.id`, "^token$"), fits(), shot("docs"),
		},
		"verification": {
			chromedp.Navigate(d.url + "/verify?lang=ru"), shows(`document.body?.textContent ?? ""`, "Номер справки"), fits(), shot("verify-ru"),
			chromedp.SendKeys(chromedp.CSS("#number"), "K7MN"+kb.Enter), shows(`document.body?.textContent ?? ""`, "Номер с ошибкой"), fits(), shot("verify-ru-wrong"),
			shows("document.activeElement?.id ?? ''", "^number$"), shows("document.title", "^Ошибка: "),
			// An empty field has an answer too; the example is a number, of no certificate.
			run(`document.getElementById("number").value = " "`), chromedp.SendKeys(chromedp.CSS("#number"), kb.Enter), says("problem", "Введите номер"),
			run(`document.getElementById("number").value = document.querySelector("#hint .number").textContent`),
			chromedp.SendKeys(chromedp.CSS("#number"), kb.Enter), says("problem", "не выдавалась"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, wrong := browser(t, d.url)
			small := chromedp.EmulateViewport(360, 800, chromedp.EmulateMobile)
			if err := chromedp.Do(ctx, append([]chromedp.Action[chromedp.Void]{small}, actions...)...); err != nil {
				t.Errorf("%v", err)
			}
			for _, w := range wrong() {
				t.Error(w)
			}
		})
	}
}
