package session_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// cases is how often a service was called, by kind of node.
type cases struct{ plain, show, answer, effect int64 }

// counted is the real engine and a service, both of which count.
type counted struct {
	*dialog.Engine
	passes                      atomic.Int64
	plain, show, answer, effect atomic.Int64
	slow                        atomic.Bool
	hold                        chan struct{} // a slow registry answers when it is closed
}

func (c *counted) Next(ctx context.Context, who caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error) {
	c.passes.Add(1)
	return c.Engine.Next(ctx, who, st, in)
}

func (c *counted) reset() {
	for _, n := range []*atomic.Int64{&c.passes, &c.plain, &c.show, &c.answer, &c.effect} {
		n.Store(0)
	}
}

func (c *counted) cases() cases {
	return cases{c.plain.Load(), c.show.Load(), c.answer.Load(), c.effect.Load()}
}

func (c *counted) service() dialog.Flow {
	plain := func(ask dialog.Ask, to ...string) func(*dialog.Turn) dialog.Screen {
		return func(*dialog.Turn) dialog.Screen {
			c.plain.Add(1)
			s := dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "Plain")}, Ask: ask}
			for _, node := range to {
				s.Options = append(s.Options, dialog.Option{Label: dialog.Raw("title", node), Next: dialog.Go(node)})
			}
			return s
		}
	}
	look := func(ctx context.Context, _ *dialog.Turn) (dialog.Screen, error) {
		c.show.Add(1)
		if c.slow.Load() {
			select {
			case <-c.hold:
			case <-ctx.Done():
				return dialog.Screen{}, ctx.Err()
			}
		}
		return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "Found")}}, nil
	}
	found := func(context.Context, *dialog.Turn, string) (dialog.Next, error) {
		c.answer.Add(1)
		return dialog.Go("desk.look"), nil
	}
	return dialog.Flow{
		Name: "desk", Entry: dialog.Option{Label: dialog.Say("dialog.main_title"), Next: dialog.Go("desk.menu")},
		Nodes: []dialog.Node{
			{ID: "desk.menu", Plain: plain(dialog.AskNothing, "desk.look", "desk.ask", "desk.write", "desk.secret")},
			{ID: "desk.look", Show: look},
			{ID: "desk.ask", Plain: plain(dialog.AskText), Answer: found},
			{ID: "desk.secret", Plain: plain(dialog.AskSecret), Answer: found},
			{ID: "desk.write", Do: func(context.Context, *dialog.Turn) (dialog.Next, error) {
				c.effect.Add(1)
				return dialog.Done("desk.done"), nil
			}},
			{ID: "desk.done", Plain: plain(dialog.AskNothing)},
		},
		Commands: []dialog.Command{{Words: []string{"desk"}, Node: "desk.look"}, {Words: []string{"question"}, Node: "desk.ask"}},
	}
}

// newCounted is Conversations on a counting engine, whose answers may come later. A step that
// is not slow is waited for, however busy the machine is.
func newCounted(t *testing.T, db *store.DB, slow bool) (*patient, *counted) {
	t.Helper()
	c := &counted{hold: make(chan struct{})}
	p := newPatient(t, db)
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	deps := p.Deps
	c.Engine, err = dialog.New(catalogue, dialog.Options{Profiles: remembered{}, Log: quiet()}, c.service())
	if err != nil {
		t.Fatal(err)
	}
	deps.Engine = c
	deferred := *deps.Deferred
	if deferred.StepTime = time.Minute; slow {
		deferred.StepTime = time.Second
	}
	deps.Deferred = &deferred
	if p.Conversations, err = session.New(deps); err != nil {
		t.Fatal(err)
	}
	return p, c
}

// TestOnePass: whatever its kind, a step goes through the engine once and calls each
// of its service's nodes once, also where its gateway sends it again.
func TestOnePass(t *testing.T) {
	t.Parallel()
	dial := func(name, text string) func(*testing.T, *patient) session.Answer {
		return func(t *testing.T, p *patient) session.Answer { return p.dial(t, name, text) }
	}
	text := func(id, text string) func(*testing.T, *patient) session.Answer {
		return func(t *testing.T, p *patient) session.Answer { return p.sms(t, id, text) }
	}
	type turns = []func(*testing.T, *patient) session.Answer
	menu := turns{dial("s1", ""), dial("s1", "1")}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, step := range map[string]struct {
			before turns
			turn   func(*testing.T, *patient) session.Answer
			slow   bool
			cases  cases
			want   string
		}{
			"dialled":                         {nil, dial("s1", ""), false, cases{}, "1 Eshik"},
			"a dialled path":                  {nil, dial("s1", "1*1"), false, cases{plain: 1, show: 1}, "Found"},
			"a menu's choice":                 {menu[:1], dial("s1", "1"), false, cases{plain: 1}, "2 desk.ask"},
			"a choice for which one is asked": {menu, dial("s1", "1*1"), false, cases{show: 1}, "Found"},
			"the way back":                    {append(menu, dial("s1", "1*1")), dial("s1", "1*1*0"), false, cases{plain: 1}, "2 desk.ask"},
			"an answer":                       {append(menu, dial("s1", "1*2")), dial("s1", "1*2*x"), false, cases{answer: 1, show: 1}, "Found"},
			"a secret":                        {append(menu, dial("s1", "1*4")), dial("s1", "1*4*1234"), false, cases{answer: 1, show: 1}, "Found"},
			"an effect":                       {menu, dial("s1", "1*3"), false, cases{effect: 1, plain: 1}, "Plain"},
			"an unknown choice":               {menu, dial("s1", "1*8"), false, cases{plain: 1}, "2 desk.ask"},
			"a deferred answer":               {menu, dial("s1", "1*1"), true, cases{show: 1}, "by SMS"},
			"a deferred answer to a secret":   {append(menu, dial("s1", "1*4")), dial("s1", "1*4*1234"), true, cases{answer: 1, show: 1}, "by SMS"},
			"a session after one that broke":  {append(menu, dial("s1", "1*2")), dial("s2", ""), false, cases{}, question},
			"a session that goes on":          {append(menu, dial("s1", "1*2"), dial("s2", "")), dial("s2", "1"), false, cases{plain: 1}, "Plain"},
			"a text":                          {nil, text("m1", "desk"), false, cases{show: 1}, "Found"},
			"an answer by SMS":                {turns{text("m1", "question")}, text("m2", "x"), false, cases{answer: 1, show: 1}, "Found"},
			"a session gone on with by SMS":   {append(menu, dial("s1", "1*2"), gone("s1"), text("m1", "hello")), text("m2", "1"), false, cases{plain: 1}, "Plain"},
		} {
			t.Run(name, func(t *testing.T) {
				p, c := newCounted(t, db, step.slow)
				for _, turn := range step.before {
					turn(t, p)
				}
				c.reset()
				c.slow.Store(step.slow)
				for range 2 { // the second is the gateway's retry
					want(t, step.turn(t, p), step.want)
				}
				if step.slow {
					close(c.hold)
					if sent := p.box.wait(t, 1); !strings.Contains(sent[0].Text, "Found") {
						t.Errorf("sent: %+v", sent)
					}
					p.Pass(time.Hour)
					if err := p.work(t); err != nil {
						t.Error(err)
					}
				}
				if passes := c.passes.Load(); passes != 1 || c.cases() != step.cases {
					t.Errorf("%d passes, which called %+v, want %+v", passes, c.cases(), step.cases)
				}
			})
		}
	})
}

// gone is the gateway's word that a session is over.
func gone(name string) func(*testing.T, *patient) session.Answer {
	return func(t *testing.T, p *patient) session.Answer {
		t.Helper()
		if err := p.Ended(t.Context(), name, aigul, p.Now()); err != nil {
			t.Fatal(err)
		}
		return session.Answer{}
	}
}
