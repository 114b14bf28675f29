package notify_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const phone = testworld.Aigul

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// provider answers with what its plan says for each try, then with success.
type provider struct {
	mu   sync.Mutex
	plan []error
	got  []notify.MT
	at   []time.Time
	// names gives every message one id, as no provider should.
	names string
	// during, unless nil, is what happens before the provider answers.
	during func(m notify.MT)
	// by, unless nil, gets the messages in place of this one.
	by *provider
}

func (p *provider) Send(ctx context.Context, m notify.MT) (notify.Submission, error) {
	if p.by != nil {
		return p.by.Send(ctx, m)
	}
	if p.during != nil {
		p.during(m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.at = append(p.got, m), append(p.at, time.Now())
	taken := notify.Submission{Provider: "test", Operator: "MegaCom", Parts: 2, Cost: 240}
	if n := len(p.got); n <= len(p.plan) && p.plan[n-1] != nil {
		return taken, p.plan[n-1]
	}
	taken.ID = cmp.Or(p.names, "SM-"+m.ID)
	return taken, nil
}

func (p *provider) taken() []notify.MT {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]notify.MT(nil), p.got...)
}

// tried are the moments of the tries.
func (p *provider) tried() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.at)
}

// world is an outbox with a provider whose answers are planned.
type world struct {
	*testworld.World
	provider *provider
}

func newWorld(t *testing.T, db *store.DB, plan ...error) *world {
	t.Helper()
	return newQuietWorld(t, db, notify.Quiet{}, plan...)
}

func newQuietWorld(t *testing.T, db *store.DB, quiet notify.Quiet, plan ...error) *world {
	t.Helper()
	p := &provider{plan: plan}
	return &world{testworld.New(t, db, testworld.Setup{Start: start, Provider: p, Quiet: quiet}), p}
}

func (w *world) send(messages ...notify.Message) {
	w.T.Helper()
	err := w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		for _, m := range messages {
			if err := w.Outbox.Send(w.T.Context(), tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	w.OK(err)
}

// until waits for the messages to a phone to have the states, newest first.
func (w *world) until(states ...notify.State) []notify.Stored {
	w.T.Helper()
	var seen string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		list, err := w.Outbox.List(w.T.Context(), phone)
		if err != nil {
			w.T.Fatal(err)
		}
		got := make([]notify.State, len(list))
		for i, m := range list {
			got[i] = m.State
		}
		if seen = fmt.Sprint(got); seen == fmt.Sprint(states) {
			return list
		}
	}
	w.T.Fatalf("after 20 s the states are %s, want %v", seen, states)
	return nil
}

func receipt(text string) notify.Message {
	return notify.Message{To: phone, Text: text, Purpose: notify.Receipt, Locale: locales.KY}
}
