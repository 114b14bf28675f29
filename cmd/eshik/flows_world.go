package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
)

// newCrawl wires the app over the sandbox as `eshik serve` does.
func newCrawl(ctx context.Context, d door, loc locales.Locale, faults planted) (*crawl, error) {
	folder, err := os.MkdirTemp("", "eshik-flows-")
	if err != nil {
		return nil, err
	}
	c := &crawl{ctx: ctx, folder: folder, door: d, locale: loc, reached: map[string]bool{}, pages: map[string]int{}, edges: map[edge]string{}, actions: map[string]bool{}, deep: map[string]bool{}, nodes: map[string]dialog.Node{}}
	log := slog.New(slog.DiscardHandler)
	config := &Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: folder,
		XRoadClient: "central-server/GOV/70000099/eshik", PublicURL: "http://127.0.0.1:1",
		ShortCode: "*1414#", StepTime: 3 * time.Second, ResumeWindow: session.DefaultWindow,
	}
	if err := config.ready(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if c.world, err = startOutside(config, "", config.PublicURL, log); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if c.app, err = build(ctx, config, log); err == nil {
		err = c.app.queue.Start(ctx)
	}
	if err == nil {
		err = c.wire(log, faults)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// wire makes the engine and learns which nodes it has.
func (c *crawl) wire(log *slog.Logger, faults planted) (err error) {
	services := append(c.app.spoken(), faults.services...)
	if c.engine, err = dialog.New(c.app.texts, dialog.Options{Profiles: c.app.identity, Log: log}, services...); err != nil {
		return err
	}
	c.look = faults.look
	if c.next = c.engine.Next; faults.engine != nil {
		c.next = faults.engine(c.next)
	}
	c.actions["door.speak"], c.actions["door.continue"] = true, true // the engine's own
	c.shows = []string{"door.main", "door.language", "door.resume"}
	for _, service := range services {
		for _, node := range service.Nodes {
			c.nodes[node.ID] = node
			if node.Do != nil {
				c.actions[node.ID] = true
			} else {
				c.shows = append(c.shows, node.ID)
			}
		}
	}
	return nil
}

// close gives everything back.
func (c *crawl) close() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), shutdown)
	defer cancel()
	var faults []error
	if c.app != nil {
		faults = append(faults, c.app.close(ctx))
	}
	if c.world != nil {
		faults = append(faults, c.world.close(ctx))
	}
	return errors.Join(append(faults, os.RemoveAll(c.folder))...)
}

// answers is the table of what is typed where something is asked for.
func (c *crawl) answers(node string) []string {
	switch node {
	case "fine.plate":
		return []string{"01KG123ABC", "01kg777aaa", "B1234AB", "09KG999ZZZ", "ZZZZ"}
	case "certificate.verify":
		return []string{c.certificate, "ABCD-EFGH-JKM", "K7MN"}
	case "preschool.ask_number":
		return []string{c.registration, "47123456789", "47"}
	case "identity.code":
		return []string{c.code(), "12", "000000"}
	case "identity.pin":
		return []string{c.who.pin, "1234", "12912199900099"}
	case "identity.document":
		return []string{c.who.document, "ID12", "ID9999999"}
	}
	return nil
}

// code is the newest one-time code that reached the phone.
func (c *crawl) code() string {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, text := range c.inbox() {
			if found := oneTime.FindString(text); found != "" {
				return found
			}
		}
	}
	c.must(errors.New("no one-time code reached the phone"))
	return ""
}

func (c *crawl) inbox() []string {
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(c.who.phone), nil)
	c.must(err)
	request.RemoteAddr, request.Host = "127.0.0.1:1", "127.0.0.1:1"
	answer := &answered{header: http.Header{}}
	c.world.handler().ServeHTTP(answer, request)
	var messages []struct{ Text string }
	c.must(json.Unmarshal(answer.body.Bytes(), &messages))
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Text
	}
	return texts
}

// answered keeps what a handler writes.
type answered struct {
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answered) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (*answered) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (a *answered) Write(p []byte) (int, error) { return a.body.Write(p) }

// gardens are two kindergartens of the mother's registration.
func (c *crawl) gardens() []string {
	found, err := c.app.preschool.Position(c.ctx, caller.Caller{Now: c.app.now()}, c.registration)
	c.must(err)
	var codes []string
	for _, p := range found.Places {
		codes = append(codes, p.Kindergarten)
	}
	return append(codes, codes...)
}

func short(input string) string {
	if len(input) > 20 {
		return input[:20] + "…"
	}
	return input
}
