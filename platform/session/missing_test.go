package session_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
)

// TestNothingIsMissing: conversations are not made without what they stand on; they need
// not defer replies, but where they do, with all that this takes.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	whole := deps(newWorld(t, session.NewMemory()), secret)
	whole.Deferred = &session.Deferred{
		DB: &store.DB{}, Queue: &job.Queue{}, Outbox: &mailbox{}, StepTime: time.Second, Lease: time.Second, Budget: screen, Lifetime: time.Hour,
	}
	build := func(d session.Deps) error { _, err := session.New(d); return err }
	needstest.Each(t, whole, build, "Window", "Deferred")
	needstest.Each(t, *whole.Deferred, func(d session.Deferred) error {
		deferring := whole
		deferring.Deferred = &d
		return build(deferring)
	}, "Lease")
}
