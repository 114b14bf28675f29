package trail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/trail"
)

var at = time.Date(2026, time.March, 4, 9, 0, 0, 0, time.UTC)

// paid is a step with a record, an event and two messages.
func paid() trail.Step {
	message := func(dedup string) notify.Message {
		return notify.Message{To: "+996700123456", Text: "төлөндү", Purpose: notify.Receipt, Locale: locales.KY, Dedup: dedup}
	}
	return trail.Step{
		Audit: audit.Entry{
			At: at, Actor: "worker", Action: "payment.settled", Object: "p1", Subject: "s1", Purpose: "payment",
			Decided: []*audit.Group{audit.Decided("bills").Text("1")},
		},
		Event:    analytics.Of(caller.Caller{Channel: caller.USSD, Locale: locales.KY, Now: at}, "fine", "payment.settle", "done"),
		Messages: []notify.Message{message("receipt"), message("refund")},
	}
}

// left counts what a step left: records with what they decided, events and messages.
func left(t *testing.T, db *store.DB) (counts [3]int) {
	t.Helper()
	for i, query := range []string{
		"SELECT COUNT(*) FROM audit_records WHERE action = 'payment.settled' AND decided LIKE '1 bills=%'",
		"SELECT COUNT(*) FROM analytics_events WHERE step = 'payment.settle'",
		"SELECT COUNT(*) FROM notify_messages",
	} {
		if err := db.Reader().QueryRow(query).Scan(&counts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return counts
}

func leave(t *testing.T, db *store.DB, to *trail.Trail, s trail.Step) error {
	t.Helper()
	return db.InTx(t.Context(), func(tx *store.Tx) error { return to.Leave(t.Context(), tx, s) })
}

// TestAllOrNothing: what a step leaves is there together with its transaction, and not at
// all when one part of it fails.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := testworld.New(t, db, testworld.Setup{})
		errBack := errors.New("the step itself fails")
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(w.Trail.Leave(t.Context(), tx, paid()), errBack)
		})
		if err == nil || err.Error() != errBack.Error() {
			t.Fatal(err)
		}
		for _, broken := range []*trail.Trail{build(w, mute{}, w.Outbox), build(w, w.Audit, mute{})} {
			if err := leave(t, db, broken, paid()); !errors.Is(err, errMute) {
				t.Errorf("a part failed, and the step with %v", err)
			}
		}
		rename(t, db, "analytics_events", "away")
		if err := leave(t, db, w.Trail, paid()); err == nil {
			t.Error("nothing can be counted, and the step did not fail")
		}
		rename(t, db, "away", "analytics_events")
		if got := left(t, db); got != [3]int{} {
			t.Fatalf("steps that failed left %v", got)
		}
		if err := leave(t, db, w.Trail, paid()); err != nil {
			t.Fatal(err)
		}
		if got := left(t, db); got != [3]int{1, 1, 2} {
			t.Fatalf("the step left %v", got)
		}
	})
}

// TestOnlyWhatIsSaid: a step without one of the three leaves the others.
func TestOnlyWhatIsSaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, s := testworld.New(t, db, testworld.Setup{}), paid()
		for _, one := range []trail.Step{{}, {Audit: s.Audit}, {Event: s.Event}, {Messages: s.Messages}} {
			if err := leave(t, db, w.Trail, one); err != nil {
				t.Fatal(err)
			}
		}
		if got := left(t, db); got != [3]int{1, 1, 2} {
			t.Fatalf("the steps left %v", got)
		}
	})
}

// TestMissingParts: a trail is not made of less than it needs, and says what is missing.
func TestMissingParts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		auditor  trail.Auditor
		recorder *analytics.Recorder
		outbox   trail.Outbox
		named    string
	}{
		{nil, &analytics.Recorder{}, mute{}, "Auditor"},
		{mute{}, nil, mute{}, "Recorder"},
		{mute{}, &analytics.Recorder{}, nil, "Outbox"},
	} {
		if _, err := trail.New(test.auditor, test.recorder, test.outbox); err == nil || !strings.Contains(err.Error(), test.named) {
			t.Errorf("without its %s: %v", test.named, err)
		}
	}
}

func build(w *testworld.World, auditor trail.Auditor, outbox trail.Outbox) *trail.Trail {
	made, err := trail.New(auditor, w.Recorder, outbox)
	w.OK(err)
	return made
}

func rename(t *testing.T, db *store.DB, from, to string) {
	t.Helper()
	if _, err := db.Writer().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
		t.Fatal(err)
	}
}

var errMute = errors.New("it does not work")

// mute is an audit log or an outbox that fails.
type mute struct{}

func (mute) Record(context.Context, *store.Tx, audit.Entry) error { return errMute }

func (mute) Look(context.Context, audit.Entry) error { return errMute }

func (mute) SendAll(context.Context, *store.Tx, []notify.Message) error { return errMute }
