package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBadOptionsAreOneClearLine(t *testing.T) {
	t.Parallel()
	good := options{Listen: "127.0.0.1:0", App: "http://127.0.0.1:8080"}
	for want, change := range map[string]func(*options){
		"--app must be an address": func(o *options) { o.App = "localhost" },
		"--public must be":         func(o *options) { o.Public = "ftp://x" },
		"--listen must be host":    func(o *options) { o.Listen = "8090" },
		"has no locks":             func(o *options) { o.Listen = "0.0.0.0:8090" },
	} {
		o := good
		change(&o)
		err := check(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: said %v", want, err)
		}
	}
	if err := check(good); err != nil {
		t.Error(err)
	}
}

func TestRunServesAndStops(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options{Listen: taken.Addr().String(), App: "http://127.0.0.1:1", Number: "1414", Data: t.TempDir()}
	log := slog.New(slog.DiscardHandler)
	if err := run(t.Context(), o, log); err == nil || !strings.Contains(err.Error(), "cannot listen on") {
		t.Errorf("a taken port: %v", err)
	}
	at := taken.Addr().String()
	_ = taken.Close()
	ctx, stop := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- run(ctx, o, log) }()
	var resp *http.Response
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if resp, err = http.Get("http://" + at + "/sandbox/faults"); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "safecity") {
		t.Errorf("the knobs: %s %s", resp.Status, body)
	}
	stop()
	if err := <-gone; err != nil {
		t.Errorf("stopped with %v", err)
	}
}
