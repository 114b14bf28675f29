package session_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// mailbox is an outbox that keeps what it is given.
type mailbox struct {
	mu   sync.Mutex
	kept []notify.Message
}

func (m *mailbox) Send(_ context.Context, _ *store.Tx, message notify.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, message)
	return nil
}

// Told reports a message with the turn's name.
func (m *mailbox) Told(_ context.Context, _ *store.Tx, turn string) (bool, error) {
	return slices.ContainsFunc(m.all(), func(kept notify.Message) bool { return kept.Turn == turn }), nil
}

func (m *mailbox) all() []notify.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]notify.Message(nil), m.kept...)
}

// wait gives the messages once there are n.
func (m *mailbox) wait(t *testing.T, n int) []notify.Message {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if kept := m.all(); len(kept) >= n {
			return kept
		}
	}
	t.Fatalf("%d messages came, not %d", len(m.all()), n)
	return nil
}

// register is a slow registry: each look waits for a word on answers; "down"
// means that it fails.
type register struct {
	answers  chan string
	asked    atomic.Int64
	about    string   // whom what it finds tells of
	tells    *mailbox // unless nil, the look tells there what it found, once
	mu       sync.Mutex
	sessions []string // of which the looks were, see caller.Caller
}

func (r *register) service() dialog.Flow {
	show := func(ctx context.Context, conversation *dialog.Turn) (dialog.Screen, error) {
		r.asked.Add(1)
		r.mu.Lock()
		r.sessions = append(r.sessions, conversation.Caller.Session)
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return dialog.Screen{}, ctx.Err()
		case said := <-r.answers:
			if said == "down" {
				return dialog.Screen{}, problem.New(problem.Unavailable, "problem.internal")
			}
			if r.tells != nil && len(r.tells.all()) == 0 {
				_ = r.tells.Send(ctx, nil, notify.Message{To: conversation.Caller.Phone, Text: "done", Turn: conversation.Caller.Key})
			}
			return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", said)}, About: r.about}, nil
		}
	}
	ask := func(sensitive dialog.Ask) func(*dialog.Turn) dialog.Screen {
		return func(*dialog.Turn) dialog.Screen {
			return dialog.Screen{Body: []dialog.Message{dialog.Raw("title", "Number?")}, Ask: sensitive}
		}
	}
	found := func(context.Context, *dialog.Turn, string) (dialog.Next, error) {
		return dialog.Go("register.found"), nil
	}
	return dialog.Flow{
		Name:  "register",
		Entry: dialog.Option{Label: dialog.Say("dialog.main_title"), Next: dialog.Go("register.ask")},
		Nodes: []dialog.Node{
			{ID: "register.ask", Plain: ask(dialog.AskText), Answer: found},
			{ID: "register.secret", Plain: ask(dialog.AskPersonalNumber), Answer: found},
			{ID: "register.found", Show: show},
		},
		Commands: []dialog.Command{{Words: []string{"secret"}, Node: "register.secret"}},
	}
}

// patient is Conversations whose answers may come later.
type patient struct {
	*world
	*register
	left  atomic.Bool // see holders
	box   *mailbox
	db    *store.DB
	queue *job.Queue
	lease time.Duration
	// tenure counts how often the numbers changed hands.
	tenure atomic.Int64
}

// TestTheNextHolderIsServed: a kept profile of the holder before ends one conversation of the next
// one, not each until it is too old.
func TestTheNextHolderIsServed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "")
		p.Pass(time.Minute)
		p.tenure.Add(1)
		if answer := p.dial(t, "s2", "1"); !answer.End { // nothing to continue: the kept profile is good enough
			t.Errorf("the next holder is in the conversation of the one before: %q", answer.Text)
		}
		if answer := p.dial(t, "s3", "1"); answer.End {
			t.Errorf("the next holder is not served: %q", answer.Text)
		}
	})
}

// TestS2ADeferredReplyIsNotForTheNextHolder: what the earlier holder of a number was
// to get by SMS is neither sent nor done for whoever holds it now, whether the process
// that deferred it lives or another one takes it up.
func TestS2ADeferredReplyIsNotForTheNextHolder(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"goes on": false, "taken up": true} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				p := newPatient(t, db)
				p.dial(t, "s1", "1")
				want(t, p.dial(t, "s1", "1*7"), "by SMS")
				p.tenure.Add(1)
				if !dies {
					p.answers <- "Found"
				}
				asked := p.asked.Load()
				if dies {
					p.restart(t)
					p.Pass(2 * time.Minute)
					if err := p.work(t); err != nil {
						t.Fatal(err)
					}
					if n := p.asked.Load(); n != asked {
						t.Errorf("the step was done again in another's name: %d", n-asked)
					}
				}
				kept := 0
				for deadline := time.Now().Add(30 * time.Second); kept == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
					if err := db.Reader().QueryRow("SELECT COUNT(*) FROM session_promises WHERE kept_at IS NOT NULL").Scan(&kept); err != nil {
						t.Fatal(err)
					}
				}
				if n := len(p.box.all()); n != 0 || kept != 1 {
					t.Errorf("%d messages reached the new holder, %d deferred replies are over", n, kept)
				}
			})
		})
	}
}

// TestADeferredReplyIsOfItsSession: another process takes the step again in the session that asked,
// in which somebody may be proved.
func TestADeferredReplyIsOfItsSession(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		p.restart(t)
		p.Pass(2 * time.Minute)
		p.answers <- "down" // to the process before
		p.answers <- "Found"
		if err := p.work(t); err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.sessions) != 2 || p.sessions[0] == "" || p.sessions[1] != p.sessions[0] {
			t.Errorf("the looks were of the sessions %q", p.sessions)
		}
	})
}

// TestEachCallHasASession: also where a gateway has one name for all calls of a phone, somebody who
// was proved in one is not so in the next.
func TestEachCallHasASession(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		n := 0
		says := func(text string) {
			t.Helper()
			n++
			turn := p.turn(aigul, text)
			turn.Cumulative, turn.ID, turn.Start, turn.Budget = false, strconv.Itoa(n), text == "", screen
			if _, err := p.Turn(t.Context(), turn); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range []string{"", "1", "7", "7", "", "1", "7"} {
			p.answers <- "Found"
			says(text)
			p.Pass(10 * time.Second)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		first, last := p.sessions[0], p.sessions[len(p.sessions)-1]
		if len(p.sessions) < 2 || first == "" || first == last {
			t.Errorf("the looks were of the sessions %q", p.sessions)
		}
	})
}

func newPatient(t *testing.T, db *store.DB) *patient {
	t.Helper()
	p := &patient{
		world: &world{events: &events{}, store: session.NewMemory(), Clock: testworld.NewClock(time.Now())}, box: &mailbox{}, db: db,
		register: &register{answers: make(chan string, 16)},
	}
	var err error
	if p.queue, err = job.New(db, quiet()); err != nil {
		t.Fatal(err)
	}
	p.restart(t)
	return p
}

// work does, as the queue would by the test's clock, what is due by now, at once.
func (p *patient) work(t *testing.T) error { return p.workAs(t, p.Conversations) }

func (p *patient) workAs(t *testing.T, conversations *session.Conversations) error {
	t.Helper()
	if err := conversations.TidyDeferred(t.Context()); err != nil {
		return err
	}
	rows, err := p.db.Reader().QueryContext(t.Context(), "SELECT id FROM session_promises WHERE kept_at IS NULL AND made_at <= $1",
		p.Now().Add(-session.DefaultLease).UnixMicro())
	if err != nil {
		return err
	}
	var due []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		due = append(due, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, id := range due {
		all.Go(func() {
			if err := conversations.WorkDeferred(t.Context(), id); err != nil && !errors.Is(err, session.ErrUpstream) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return nil
}

// jobs is how many jobs were made for deferred replies.
func (p *patient) jobs(t *testing.T) (n int) {
	t.Helper()
	if err := p.db.Reader().QueryRow("SELECT COUNT(*) FROM river_job WHERE kind = 'session.deferred_reply'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// restart is what another process has: the store and the database are the same.
func (p *patient) restart(t *testing.T) {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	known := holders{remembered{profiles{aigul: locales.EN, bakyt: locales.EN}}, &p.tenure, new(atomic.Int64), &p.left}
	engine, err := dialog.New(catalogue, dialog.Options{Profiles: known, Log: quiet()}, p.service())
	if err != nil {
		t.Fatal(err)
	}
	p.Conversations, err = session.New(session.Deps{
		Engine: engine, Store: p.store, Profiles: known, Trail: p.events, Texts: catalogue, Secret: secret,
		Window: session.DefaultWindow, Now: p.Now, Log: quiet(),
		Deferred: &session.Deferred{
			DB: p.db, Queue: p.queue, Outbox: p.box, StepTime: 100 * time.Millisecond, Lease: p.lease,
			Budget: dialog.Budget{Septets: 459, Units: 201}, Lifetime: 24 * time.Hour,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSlowAnswerComesBySMS(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		later := p.dial(t, "s1", "1*7")
		want(t, later, "by SMS")
		if again := p.dial(t, "s1", "1*7"); again != later || !later.End {
			t.Errorf("the retry was answered %+v, first %+v", again, later)
		}
		p.answers <- "Found: a long street"
		message := p.box.wait(t, 1)[0]
		if message.To != aigul || !strings.Contains(message.Text, "Found: a long street") || message.Purpose != notify.Answer {
			t.Errorf("sent: %+v", message)
		}
		p.Pass(time.Hour)
		for range 2 {
			if err := p.work(t); err != nil {
				t.Error(err)
			}
		}
		if n := len(p.box.all()); n != 1 {
			t.Errorf("%d messages for one deferred reply", n)
		}
		want(t, p.sms(t, "SM1", "0"), "Number?") // the conversation goes on by SMS
	})
}

// The step succeeds late: its screen is laid out for SMS without asking the registry
// again, which may fail by then.
func TestLateAnswerIsLaidOutOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		p.answers <- "Found"
		p.answers <- "down"
		p.box.wait(t, 1)
		p.Pass(2 * time.Minute)
		if err := p.work(t); err != nil {
			t.Error(err)
		}
		if sent := p.box.all(); len(sent) != 1 || !strings.Contains(sent[0].Text, "Found") || p.asked.Load() != 1 {
			t.Errorf("sent after %d questions: %+v", p.asked.Load(), sent)
		}
	})
}

// What a step did has a message of its own: that is the late answer.
func TestLateAnswerOfAStepThatTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.tells = p.box
		p.restart(t)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		p.answers <- "Found"
		p.box.wait(t, 1)
		kept := 0
		for deadline := time.Now().Add(30 * time.Second); kept == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := db.Reader().QueryRow("SELECT COUNT(*) FROM session_promises WHERE kept_at IS NOT NULL").Scan(&kept); err != nil {
				t.Fatal(err)
			}
		}
		p.Pass(2 * time.Minute)
		if err := p.work(t); err != nil {
			t.Error(err)
		}
		if sent := p.box.all(); len(sent) != 1 || sent[0].Text != "done" {
			t.Errorf("sent: %+v", sent)
		}
		want(t, p.sms(t, "SM1", "0"), "Number?")
	})
}

// The process ends while the registry thinks: another one asks again, once.
func TestADeferredReplyOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		dead := p.register // what the first process waits for comes when all is over
		p.register = &register{answers: make(chan string, 16)}
		p.restart(t)
		if err := p.work(t); err != nil || len(p.box.all()) != 0 {
			t.Errorf("a deferred reply was taken up before its time: %v, %v", p.box.all(), err)
		}
		p.Pass(2 * time.Minute)
		for range 4 {
			p.register.answers <- "Found"
		}
		first := p.Conversations
		p.restart(t)
		var both sync.WaitGroup
		for _, instance := range []*session.Conversations{first, p.Conversations} {
			both.Go(func() {
				if err := p.workAs(t, instance); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if sent := p.box.all(); len(sent) != 1 || !strings.Contains(sent[0].Text, "Found") {
			t.Errorf("sent: %+v", sent)
		}
		close(dead.answers)
	})
}

// One deferred reply whose registry takes its time keeps no other waiting.
func TestDeferredRepliesWaitForNoOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		for _, phone := range []string{aigul, bakyt} {
			turn := p.turn(phone, "1")
			turn.Budget = screen
			p.take(t, turn)
			turn.Text = "1*7"
			want(t, p.take(t, turn), "by SMS")
		}
		dead := p.register
		p.register = &register{answers: make(chan string, 16)}
		p.restart(t)
		p.Pass(2 * time.Minute)
		kept := make(chan error, 1)
		go func() { kept <- p.work(t) }()
		for deadline := time.Now().Add(30 * time.Second); p.asked.Load() < 2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the registry was asked %d times before it answered", p.asked.Load())
			}
		}
		for range 8 {
			p.answers <- "Found"
		}
		if err := <-kept; err != nil || len(p.box.all()) != 2 {
			t.Errorf("sent %+v, %v", p.box.all(), err)
		}
		close(dead.answers)
	})
}

func TestADeferredReplyOfAFailingRegistry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		for range 8 {
			p.answers <- "down"
		}
		for range 8 {
			p.Pass(2 * time.Minute)
			if err := p.work(t); err != nil {
				t.Error(err)
			}
		}
		if sent := p.box.all(); len(sent) != 1 || sent[0].Text == "" {
			t.Errorf("sent: %+v", sent)
		}
		if p.asked.Load() > 8 {
			t.Errorf("the registry was asked %d times", p.asked.Load())
		}
	})
}

// What was typed on a screen that asks for something secret, or offers a conversation that
// does, is not kept, so another process can only ask for another try.
func TestADeferredReplyWithoutTheSecret(t *testing.T) {
	t.Parallel()
	for name, way := range map[string][]string{
		"where it is asked for": {"", "1", "1*11503198800011"}, "where the conversation is offered": {"", "11503198800011"}, "as the first input": {"11503198800011"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				p := newPatient(t, db)
				p.sms(t, "SM1", "secret")
				var last session.Answer
				for _, text := range way {
					last = p.dial(t, "s1", text)
				}
				want(t, last, "by SMS")
				p.register = &register{answers: make(chan string, 16)}
				p.restart(t)
				p.Pass(2 * time.Minute)
				if err := p.work(t); err != nil {
					t.Error(err)
				}
				if sent := p.box.all(); len(sent) != 1 || !strings.Contains(sent[0].Text, "dial again") || p.asked.Load() != 0 {
					t.Errorf("sent %+v, asked %d times", sent, p.asked.Load())
				}
			})
		})
	}
}
