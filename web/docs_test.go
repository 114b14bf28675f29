package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/eshik-kg/eshik/locales"
)

const tinyContract = `openapi: 3.0.3
info: {title: Eshik, version: "1"}
paths:
  /v1/fines:
    get:
      summary: Fines of a plate
      responses: {"200": {description: the fines}}
`

// The reference page must draw the contract under its own policy, and ask this
// host only.
func TestDocsPageInABrowser(t *testing.T) {
	t.Parallel()
	pages := testPages(t)
	mux := http.NewServeMux()
	mux.Handle("/static/", pages.Static())
	mux.HandleFunc("/v1/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tinyContract) })
	mux.HandleFunc("/docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", DocsPolicy)
		if err := pages.Docs(w, locales.KY); err != nil {
			t.Error(err)
		}
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()

	var mu sync.Mutex
	var foreign []string
	listen := func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, srv.URL) && strings.HasPrefix(e.Request.URL, "http") {
			mu.Lock()
			defer mu.Unlock()
			foreign = append(foreign, e.Request.URL)
		}
	}
	ctx, stopTime := context.WithTimeout(t.Context(), time.Minute)
	defer stopTime()
	ctx, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)...)
	defer stop()
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(listen))
	defer stopTab()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1000, 800), chromedp.Navigate(srv.URL+"/docs")); err != nil {
		t.Fatal(err)
	}
	drawn := ""
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !strings.Contains(drawn, "Fines of a plate"); time.Sleep(50 * time.Millisecond) {
		drawn, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("rapi-doc")?.shadowRoot?.textContent || ""`))
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(drawn, "Fines of a plate") {
		t.Errorf("the reference page does not show the contract: %.200s", drawn)
	}
	if dir := os.Getenv("ESHIK_SHOTS"); dir != "" {
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "docs.png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, u := range foreign {
		t.Errorf("the reference page asked another host: %s", u)
	}
}
