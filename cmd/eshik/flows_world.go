package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// newCrawl wires the app over the sandbox as `eshik serve` does.
func newCrawl(ctx context.Context, d door, loc locales.Locale) (*crawl, error) {
	folder, err := os.MkdirTemp("", "eshik-flows-")
	if err != nil {
		return nil, err
	}
	c := &crawl{ctx: ctx, folder: folder, door: d, locale: loc, reached: map[string]bool{}, pages: map[string]int{}, edges: map[edge]string{}, actions: map[string]bool{}}
	log := slog.New(slog.DiscardHandler)
	config := &Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: folder,
		XRoadClient: "central-server/GOV/70000099/eshik", PublicURL: "http://127.0.0.1:1",
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
		err = c.wire(log)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// wire makes the engine and learns which nodes it has.
func (c *crawl) wire(log *slog.Logger) (err error) {
	a := c.app
	services := []dialog.Service{a.fines.Talk(), a.certificates.Talk(), a.preschool.Talk(), a.identity.Talk()}
	if c.engine, err = dialog.New(a.texts, dialog.Options{Profiles: a.identity, Log: log}, services...); err != nil {
		return err
	}
	c.actions["door.speak"], c.actions["door.continue"] = true, true // the engine's own
	c.shows = []string{"door.main", "door.language", "door.resume"}
	for _, service := range services {
		for _, node := range service.Nodes {
			if node.Show != nil {
				c.shows = append(c.shows, node.ID)
			} else {
				c.actions[node.ID] = true
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

// What a screen holds, and what it must not.
var (
	digit       = regexp.MustCompile(`\d|[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	oneTime     = regexp.MustCompile(`\b\d{6}\b`)
	placeholder = regexp.MustCompile(`\{[a-z_]*\}|%!`)
	rawKey      = regexp.MustCompile(`\b(problem|fine|certificate|preschool|identity|payment|dialog)\.[a-z_]+`)
	issuedAs    = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	queuedAs    = regexp.MustCompile(`\d{11}`)
)

// check holds a reply to the rules of every screen.
func (c *crawl) check(st *dialog.State, reply dialog.Reply, way []string) {
	wrong := ""
	switch {
	case !c.door.budget.Fits(reply.Text):
		wrong = "does not fit"
	case strings.TrimSpace(reply.Text) == "":
		wrong = "is empty"
	case slices.Contains(strings.Split(reply.Text, "\n"), ""):
		wrong = "has an empty line"
	case placeholder.MatchString(reply.Text):
		wrong = "has an empty place"
	case rawKey.MatchString(reply.Text):
		wrong = "shows a key"
	case c.locale == locales.KYLatn && st.Node != "door.language" && cyrillic(reply.Text):
		wrong = "has Cyrillic letters"
	}
	if wrong != "" {
		c.fault("%s %v: the screen of %s %s: %q", c.phase, way, st.Node, wrong, reply.Text)
	}
	if st.Node == "certificate.done" && c.certificate == "" {
		c.certificate = issuedAs.FindString(reply.Text)
	}
	if st.Node == "preschool.done" && c.registration == "" {
		c.registration = queuedAs.FindString(strings.NewReplacer(" ", "", "-", "").Replace(reply.Text))
	}
}

func cyrillic(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

// allReached names the screens that nobody came to.
func (c *crawl) allReached() {
	for _, id := range c.shows {
		if !c.reached[id] {
			c.fault("nobody came to the screen of %s; reached: %v", id, slices.Sorted(maps.Keys(c.reached)))
		}
	}
}

func short(input string) string {
	if len(input) > 20 {
		return input[:20] + "…"
	}
	return input
}
