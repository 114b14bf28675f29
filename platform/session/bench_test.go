package session_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
)

// ignore is a recorder at no cost.
type ignore struct{}

func (ignore) Later(analytics.Event) {}

// BenchmarkTurn is one step of a conversation.
func BenchmarkTurn(b *testing.B) {
	step := stepper(b)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// stepper is a conversation that goes on with every call.
func stepper(b testing.TB) func() {
	b.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	known := remembered{profiles{aigul: locales.KY}}
	book := &guestbook{entries: map[string]string{}}
	engine, err := dialog.New(catalogue, dialog.Options{Profiles: known, Log: log}, book.service())
	if err != nil {
		b.Fatal(err)
	}
	conversations, err := session.New(session.Deps{
		Engine: engine, Store: session.NewMemory(), Profiles: known, Trail: ignore{}, Texts: catalogue,
		Secret: secret, Window: session.DefaultWindow, Now: time.Now, Log: log,
	})
	if err != nil {
		b.Fatal(err)
	}
	turn := session.Turn{
		Session: "gw/s", Phone: aigul, Channel: "ussd", Cumulative: true, Budget: screen,
		Lifetime: 3 * time.Minute, Now: time.Now(),
	}
	texts := []string{"", "1", "1*0", "1*0*1", "1*0*1*0"}
	ctx, i := context.Background(), 0
	return func() {
		if turn.Text = texts[i%len(texts)]; turn.Text == "" {
			turn.Now = turn.Now.Add(time.Hour) // the conversation before has expired
		}
		i++
		if _, err := conversations.Turn(ctx, turn); err != nil {
			b.Fatal(err)
		}
	}
}
