package ussd_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
)

// desk is a service with choices, questions, a secret and one effect. Its screens
// name the caller.
type desk struct {
	mu      sync.Mutex
	entries map[string]string // turn → what was written
	runs    int
}

// A whole dialogue at the desk, and what its screens say. Two inputs in a row are
// equal, which a gateway that numbers nothing must tell from a retry.
var (
	inputs  = []string{"1", "1", "Aigul", "2", "482913", "1"}
	screens = []string{"1 Eshik", "Kind?", "Name?", "Town?", "Code?", "Sure?", "Thanks, Aigul of Naryn"}
)

func (d *desk) service() dialog.Flow {
	screen := func(text string, s dialog.Screen) func(context.Context, *dialog.Turn) (dialog.Screen, error) {
		return func(_ context.Context, t *dialog.Turn) (dialog.Screen, error) {
			shown := s
			shown.Body = []dialog.Message{dialog.Raw("title", t.Caller.Phone+" "+text)}
			return shown, nil
		}
	}
	take := func(next, key string) func(context.Context, *dialog.Turn, string) (dialog.Next, error) {
		return func(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
			if key == "" { // a secret is not kept
				return dialog.Go(next), nil
			}
			return dialog.Go(next, key, input), nil
		}
	}
	choice := func(label string, next dialog.Next) dialog.Option {
		return dialog.Option{Label: dialog.Raw("title", label), Next: next}
	}
	return dialog.Flow{
		Name:  "desk",
		Entry: dialog.Option{Label: dialog.Say("dialog.main_title"), Next: dialog.Go("desk.kind")},
		Nodes: []dialog.Node{
			{ID: "desk.kind", Show: screen("Kind?", dialog.Screen{Options: []dialog.Option{choice("New", dialog.Go("desk.name"))}})},
			{ID: "desk.name", Show: screen("Name?", dialog.Screen{Ask: dialog.AskText}), Answer: take("desk.town", "name")},
			{ID: "desk.town", Show: screen("Town?", dialog.Screen{Options: []dialog.Option{
				choice("Osh", dialog.Go("desk.code", "town", "Osh")), choice("Naryn", dialog.Go("desk.code", "town", "Naryn")),
			}})},
			{ID: "desk.code", Show: screen("Code?", dialog.Screen{Ask: dialog.AskSecret}), Answer: take("desk.sure", "")},
			{ID: "desk.sure", Show: screen("Sure?", dialog.Screen{Options: []dialog.Option{choice("Yes", dialog.Go("desk.write"))}})},
			{ID: "desk.write", Do: d.write},
			{ID: "desk.thanks", Show: func(_ context.Context, t *dialog.Turn) (dialog.Screen, error) {
				text := fmt.Sprintf("%s Thanks, %s of %s", t.Caller.Phone, t.Get("name"), t.Get("town"))
				return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", text)}, End: true}, nil
			}},
		},
	}
}

func (d *desk) write(_ context.Context, t *dialog.Turn) (dialog.Next, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs++
	d.entries[t.Key()] = t.Caller.Phone + " " + t.Get("name") + " " + t.Get("town")
	return dialog.Done("desk.thanks"), nil
}

// written is how often the effect ran, and how many it left.
func (d *desk) written() (runs, entries int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs, len(d.entries)
}

// office is the desk behind the real engine and sessions, with its own clock.
type office struct {
	*desk
	*session.Conversations
	store session.Store

	mu      sync.Mutex
	time    time.Time
	events  []analytics.Event
	refused []string
	log     bytes.Buffer
}

func newOffice(t *testing.T) *office {
	t.Helper()
	// At the beginning of a second: signatures know no smaller part.
	o := &office{desk: &desk{entries: map[string]string{}}, store: session.NewMemory(), time: time.Now().Truncate(time.Second)}
	o.restart(t)
	return o
}

// restart is another instance, or the same after it was killed.
func (o *office) restart(t *testing.T) {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(o, nil))
	engine, err := dialog.New(catalogue, dialog.Options{Profiles: o, Log: log}, o.service())
	if err != nil {
		t.Fatal(err)
	}
	o.Conversations, err = session.New(session.Deps{
		Engine: engine, Store: o.store, Profiles: o, Trail: o, Texts: catalogue, Now: o.now, Log: log,
		Secret: []byte("a secret of thirty-two bytes ...."), Window: session.DefaultWindow,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.time
}

// wait lets time pass: two seconds are enough to read a screen.
func (o *office) wait(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.time = o.time.Add(d)
}

func (o *office) refuse(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused = append(o.refused, reason)
}

// counted are the refusals.
func (o *office) counted() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refused[:len(o.refused):len(o.refused)]
}

// Write takes the log.
func (o *office) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(line)
}

// Later implements session.Trail.
func (o *office) Later(e analytics.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// abandoned are the steps at which conversations were left.
func (o *office) abandoned() (steps []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Outcome == string(dialog.OutcomeAbandoned) {
			steps = append(steps, e.Step)
		}
	}
	return steps
}

// Profile implements session.Profiles: everybody speaks English.
func (*office) Holds(context.Context, caller.Caller, string) (bool, error) { return true, nil }

func (o *office) Profile(context.Context, string) (dialog.Profile, error) {
	return dialog.Profile{Locale: locales.EN}, nil
}

// SetLocale implements dialog.Profiles.
func (o *office) SetLocale(context.Context, string, locales.Locale, string) error { return nil }
