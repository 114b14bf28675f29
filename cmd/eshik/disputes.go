package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
)

// disputes lists the phones that accuse each other.
func (s staffCommand) disputes(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		list, err := a.Identity.Disputes(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(list))
		for i, d := range list {
			rows[i] = []string{d.Person, cmp.Or(d.Phone, "unknown"), clock.Second(d.Bound), clock.Second(d.Until)}
		}
		return todo{
			none:    "No phones are in dispute.",
			columns: []string{"PERSON", "PHONE", "PROVED SINCE", "BLOCKED UNTIL"},
			next:    "See the person, their document and the phone. Then: eshik staff unblock +996…",
		}.list(out, rows)
	})
}

// unblock clears a phone in dispute.
func (s staffCommand) unblock(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	phone, ok := caller.ParsePhone(s.Unblock.Phone)
	if !ok {
		return app.UsageError{Err: errors.New("that is no phone number: write +996 and nine digits")}
	}
	return app.Beside(ctx, config, log, func(a *app.App) error {
		err := a.Identity.Unblock(ctx, phone, s.Officer)
		if errors.Is(err, identity.ErrNoDispute) {
			return app.UsageError{Err: err}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "Cleared: the phone may be proved again, and no other phone undoes it.")
		return err
	})
}
