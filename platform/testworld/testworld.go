// Package testworld is what the tests of a service stand on: a database, a queue, texts,
// an outbox whose messages reach phones of the test, an audit log and a clock that moves
// when it is told to. A package adds to it, in its world_test.go, only what is its own.
package testworld

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Two people of the sandbox: their phones, personal numbers and documents.
const (
	Aigul         = "+996555000001"
	AigulPIN      = "11503198800011"
	AigulDocument = "ID1000001"
	Bakyt         = "+996700000002"
	BakytPIN      = "22107197900022"
	BakytDocument = "ID1000002"
)

// Start is when a world begins unless told otherwise: a Monday, noon in Bishkek.
var Start = time.Date(2026, time.November, 23, 6, 0, 0, 0, time.UTC)

// Setup is what makes a world another than the usual one, which has the zero value.
type Setup struct {
	Start    time.Time          // the zero time: Start
	Provider notify.Sender      // of messages; nil: Phones, which take and keep each
	Quiet    notify.Quiet       // when notices wait
	Messages trail.Outbox       // gets what the trail tells people; nil: the outbox
	Texts    *locales.Catalogue // nil: all that there are
}

// World is what a service stands on. Nothing of it is a stand-in but the phones and the
// clock; the queue does not run before Work.
type World struct {
	*Clock
	T        testing.TB
	DB       *store.DB
	Log      *slog.Logger  // of JSON lines
	Logs     *bytes.Buffer // what Log wrote; to be read when nothing writes any more
	Queue    *job.Queue
	Sealer   *seal.Sealer
	Texts    *locales.Catalogue
	Limiter  limit.Limiter
	Recorder *analytics.Recorder
	Phones   *Phones
	Outbox   *notify.Outbox
	Audit    *audit.Log
	Trail    *trail.Trail

	told trail.Outbox
}

// New makes a world on a database. What it opened is closed with the test.
func New(t testing.TB, db *store.DB, s Setup) *World {
	t.Helper()
	w := &World{Clock: NewClock(s.Start), T: t, DB: db, Logs: &bytes.Buffer{}, Sealer: Sealer(t), Texts: s.Texts, Phones: &Phones{}}
	w.Log = slog.New(slog.NewJSONHandler(w.Logs, nil))
	var err error
	if w.Queue, err = job.New(db, w.Log); err != nil {
		t.Fatal(err)
	}
	if w.Texts == nil {
		w.Texts = Texts(t)
	}
	if s.Provider == nil {
		s.Provider = w.Phones
	}
	w.Limiter = limit.NewMemory(w.Now)
	w.Outbox = notify.New(db, w.Queue, w.Sealer, s.Provider, s.Quiet, w.Now, w.Log)
	w.Recorder = analytics.NewRecorder(db, w.Log)
	t.Cleanup(w.Recorder.Close)
	w.Audit = audit.New(db, w.Sealer)
	if w.told = s.Messages; w.told == nil {
		w.told = w.Outbox
	}
	w.Trail = w.TrailBy(w.Audit)
	t.Cleanup(w.worded)
	return w
}

// Sealer has the key of every world.
func Sealer(t testing.TB) *seal.Sealer {
	t.Helper()
	sealer, err := seal.New(bytes.Repeat([]byte{7}, seal.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

// Texts are those of the product.
func Texts(t testing.TB) *locales.Catalogue {
	t.Helper()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// Work has the queue work until the test ends, or Stop.
func (w *World) Work() {
	w.T.Helper()
	w.OK(w.Queue.Start(context.Background()))
	w.T.Cleanup(w.Stop)
}

// Stop lets the jobs at work finish, for ten seconds, and begins no other.
func (w *World) Stop() {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.Queue.Stop(ctx); err != nil {
		w.T.Errorf("stop the queue: %v", err)
	}
}

// Caller is a phone that dials now, in Kyrgyz, in a turn.
func (w *World) Caller(phone, turn string) caller.Caller {
	return caller.Caller{Phone: phone, Channel: caller.USSD, Locale: locales.KY, Now: w.Now(), Key: turn}
}

// Number asks the database for one number.
func (w *World) Number(query string, args ...any) (n int) {
	w.T.Helper()
	w.OK(w.DB.Reader().QueryRowContext(w.T.Context(), query, args...).Scan(&n))
	return n
}

// OK ends the test on an error.
func (w *World) OK(err error) {
	w.T.Helper()
	OK(w.T, err)
}
