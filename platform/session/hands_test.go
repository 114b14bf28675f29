package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestWhatWasAskedIsForWhoAsked: while a register thinks, the phone forgets the person, or
// its number is given to somebody else. What the register says reaches neither by SMS, at once
// or deferred.
func TestWhatWasAskedIsForWhoAsked(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string]struct {
		change func(*patient)
		texted string // what is said in its place, by SMS
		told   string // and behind a dialled step
	}{
		"nothing":      {func(*patient) {}, "her fines", "her fines"},
		"is forgotten": {func(p *patient) { p.left.Store(true) }, "no longer proved", "no longer proved"},
		"is released":  {func(p *patient) { p.tenure.Add(1) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				p := newPatient(t, db)
				p.about = "a person's id"
				text := func(id, words string) session.Answer {
					answer, err := p.Turn(t.Context(), session.Turn{
						Session: "sms", Phone: aigul, Channel: caller.SMS, ID: id, Text: words,
						Budget: dialog.Budget{Septets: 459, Units: 201}, Lifetime: 24 * time.Hour, Now: p.Now(),
					})
					if err != nil {
						t.Error(err)
					}
					return answer
				}
				text("m1", "")
				text("m2", "1")
				answered := make(chan session.Answer)
				go func() { answered <- text("m3", "7") }()
				p.until(t, 1)
				changes.change(p)
				p.answers <- "her fines"
				if got := (<-answered).Text; !strings.Contains(got, changes.texted) || changes.texted == "" && got != "" {
					t.Errorf("a text is answered %q", got)
				}
				p.left.Store(false)
				p.dial(t, "s1", "1")
				p.dial(t, "s1", "1*7")
				p.until(t, 2)
				changes.change(p)
				p.answers <- "her fines"
				if changes.told != "" {
					if got := p.box.wait(t, 1)[0].Text; !strings.Contains(got, changes.told) {
						t.Errorf("a dialled step is answered %q", got)
					}
				}
				p.settled(t)
				for _, m := range p.box.all() {
					if changes.told != "her fines" && strings.Contains(m.Text, "her fines") {
						t.Errorf("the phone is told %q", m.Text)
					}
				}
			})
		})
	}
}

// until waits until the register was asked n times.
func (p *patient) until(t *testing.T, n int64) {
	t.Helper()
	testworld.Eventually(t, "the register is asked", func() bool { return p.asked.Load() >= n })
}

// settled waits until no deferred reply is open.
func (p *patient) settled(t *testing.T) {
	t.Helper()
	testworld.Eventually(t, "no deferred reply is open", func() bool {
		open := 1
		if err := p.db.Reader().QueryRow("SELECT COUNT(*) FROM session_promises WHERE kept_at IS NULL").Scan(&open); err != nil {
			t.Fatal(err)
		}
		return open == 0
	})
}
