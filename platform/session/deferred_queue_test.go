package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// instance is one more process on the database of p, whose queue works.
func (p *patient) instance(t *testing.T) {
	t.Helper()
	var err error
	if p.queue, err = job.New(p.db, quiet()); err != nil {
		t.Fatal(err)
	}
	p.restart(t)
	p.HandleDeferred()
	if err := p.queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.queue.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// TestDeferredReplyOnTheQueue: the process that took the step is gone, and the registry
// fails before it answers: of two instances that work the queue one sends the reply, once.
func TestDeferredReplyOnTheQueue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.lease = 300 * time.Millisecond
		p.restart(t)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		if n := p.jobs(t); n != 1 {
			t.Errorf("%d jobs for one reply", n)
		}
		dead := p.register
		p.register = &register{answers: make(chan string, 16)}
		for _, said := range []string{"down", "down", "Found", "Found"} {
			p.answers <- said
		}
		for range 2 {
			p.instance(t)
		}
		if sent := p.box.wait(t, 1); !strings.Contains(sent[0].Text, "Found") {
			t.Errorf("sent: %+v", sent)
		}
		time.Sleep(time.Second)
		if sent := p.box.all(); len(sent) != 1 || p.asked.Load() != 3 {
			t.Errorf("the registry was asked %d times, sent: %+v", p.asked.Load(), sent)
		}
		close(dead.answers)
	})
}

// TestDeferredReplyOfTheReleaseBefore: what it stored has no job, and gets one when it
// is due; several instances give it one.
func TestDeferredReplyOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPatient(t, db)
		p.dial(t, "s1", "1")
		want(t, p.dial(t, "s1", "1*7"), "by SMS")
		dead := p.register
		p.register = &register{answers: make(chan string, 16)}
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec("DELETE FROM river_job"); err != nil {
				return err
			}
			_, err := tx.Exec("UPDATE session_promises SET due_at = made_at + $1", session.DefaultLease.Microseconds())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p.instance(t)
			if err := p.TidyDeferred(t.Context()); err != nil || p.jobs(t) != 0 {
				t.Errorf("before it is due there are %d jobs, %v", p.jobs(t), err)
			}
		}
		p.answers <- "Found"
		p.Pass(2 * time.Minute)
		for range 3 {
			if err := p.TidyDeferred(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if sent := p.box.wait(t, 1); !strings.Contains(sent[0].Text, "Found") || p.asked.Load() != 1 || p.jobs(t) != 1 {
			t.Errorf("%d jobs, the registry was asked %d times, sent: %+v", p.jobs(t), p.asked.Load(), sent)
		}
		close(dead.answers)
	})
}
