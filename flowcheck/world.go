package flowcheck

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/staff"
)

// newCrawl wires the app over the sandbox as `eshik serve` does.
func newCrawl(ctx context.Context, d Channel, loc locales.Locale, faults planted) (*crawl, error) {
	folder, err := os.MkdirTemp("", "eshik-flows-")
	if err != nil {
		return nil, err
	}
	c := &crawl{ctx: ctx, folder: folder, channel: d, locale: loc, reached: map[string]bool{}, pages: map[string]int{}, edges: map[edge]string{}, actions: map[string]bool{}, deep: map[string]bool{}, nodes: map[string]dialog.Node{}, parts: map[string]bool{}, found: map[string]string{}, taken: map[string]int{}, asked: map[string]bool{}, messages: map[string]int{}, mostTurns: cmp.Or(faults.turns, maxTurns)}
	log := slog.New(slog.DiscardHandler)
	config := &app.Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: folder,
		XRoadClient: "central-server/GOV/70000099/eshik", PublicURL: "http://127.0.0.1:1",
		ShortCode: "*1414#", StepTime: 3 * time.Second, ResumeWindow: session.DefaultWindow,
	}
	c.app, err = app.Open(ctx, config, log, app.Added{Services: faults.modules, Texts: faults.texts})
	if err == nil {
		err = c.app.Queue.Start(ctx)
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
	spoken := append(c.app.Conversation(), faults.services...)
	if c.engine, err = dialog.New(c.app.Texts, dialog.Options{Profiles: c.app.Identity, Log: log}, spoken...); err != nil {
		return err
	}
	for _, key := range c.app.Texts.Keys() {
		part, _, _ := strings.Cut(key, ".")
		c.parts[part] = true
	}
	c.look = faults.look
	if c.next = c.engine.Next; faults.engine != nil {
		c.next = faults.engine(c.next)
	}
	c.actions["menu.speak"], c.actions["menu.continue"] = true, true // the engine's own
	c.shows = []string{"menu.main", "menu.language", "menu.resume"}
	for _, service := range spoken {
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

// patience bounds how long what is under way may take to finish.
const patience = 10 * time.Second

// close gives everything back.
func (c *crawl) close() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), patience)
	defer cancel()
	var err error
	if c.app != nil {
		err = c.app.Close(ctx)
	}
	return errors.Join(err, os.RemoveAll(c.folder))
}

// own are the nodes of the platform that ask: what is typed there is the visitor's.
var own = []string{"identity.code", "identity.pin", "identity.document", "identity.enrol", "identity.secret_ask", "identity.secret_old", "identity.secret_new", "mandate.number"}

// known reports that something is typed where a node asks.
func (c *crawl) known(node string) bool {
	return slices.Contains(own, node) || slices.ContainsFunc(c.app.Modules, func(m module.Module) bool { return len(m.Rehearsal.Typed[node]) > 0 })
}

// answers are what is typed where a node asks for something.
func (c *crawl) answers(node string) []string {
	switch node {
	case "identity.code":
		return []string{c.code(), "12", "000000"}
	case "identity.pin":
		return []string{c.who.pin, "1234", "12912199900099"}
	case "identity.enrol":
		return []string{c.enrolment(), "12", "00000000"}
	case "identity.secret_ask", "identity.secret_old", "identity.secret_new":
		return []string{rehearsedSecret, "12"}
	case "mandate.number":
		return []string{c.another().pin, "1234", c.who.pin}
	case "identity.document":
		return []string{c.who.document, "ID12", "ID9999999"}
	}
	for _, m := range c.app.Modules {
		if typed, asks := m.Rehearsal.Typed[node]; asks {
			return c.filled(typed)
		}
	}
	return nil
}

// another is a visitor of another number than who walks, to whom they are somebody.
func (c *crawl) another() visitor {
	if c.who.pin == visitors[0].pin {
		return visitors[1]
	}
	return visitors[0]
}

// texted are the texts that begin a conversation by SMS.
func (c *crawl) texted() []string {
	var all []string
	for _, m := range c.app.Modules {
		all = append(all, c.filled(m.Rehearsal.Texted)...)
	}
	return append(all, "тил", "жардам")
}

// filled puts what screens showed into its places: "{certificate.done}".
func (c *crawl) filled(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = shownPlace.ReplaceAllStringFunc(text, func(place string) string { return c.found[strings.Trim(place, "{}")] })
	}
	return all
}

// note keeps what a screen shows and what is typed later.
func (c *crawl) note(node, text string) {
	if c.app == nil || c.found[node] != "" {
		return
	}
	for _, m := range c.app.Modules {
		if pattern := m.Rehearsal.Shown[node]; pattern != nil {
			c.found[node] = cmp.Or(pattern.FindString(text), pattern.FindString(strings.NewReplacer(" ", "", "-", "").Replace(text)))
		}
	}
}

// arrive waits until every one-time code that was sent has reached the phone: one that is
// typed before the next arrives is a wrong guess, and costs what no walk means to spend.
func (c *crawl) arrive() {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		sent, err := c.app.Outbox.List(c.ctx, c.who.phone)
		c.must(err)
		if !slices.ContainsFunc(sent, func(m notify.Stored) bool { return m.Purpose == notify.Code && m.State == notify.Queued }) {
			return
		}
	}
	c.must(errors.New("a one-time code does not leave"))
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

// enrolment is a code that a clerk gives for the phone, to whoever has a document of their own.
// Who is on another's number gets none: they see what is told to the weakly proved.
func (c *crawl) enrolment() string {
	if c.who.name == onAnothersNumber {
		return "11111111"
	}
	made, err := c.app.Identity.Enrol(c.ctx, staff.Act{Actor: "rehearsal"}, c.who.phone, c.who.pin, c.who.document)
	if errors.Is(err, identity.ErrNotTheirs) {
		return "11111111"
	}
	c.must(err)
	return made.Code
}

func (c *crawl) inbox() []string {
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(c.who.phone), nil)
	c.must(err)
	request.RemoteAddr, request.Host = "127.0.0.1:1", "127.0.0.1:1"
	answer := &answered{header: http.Header{}}
	c.app.Sandbox().ServeHTTP(answer, request)
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

func short(input string) string {
	if len(input) > 20 {
		return input[:20] + "…"
	}
	return input
}
