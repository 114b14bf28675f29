package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/identity"
)

// disputes lists the phones that accuse each other.
func (s staffCommand) disputes(ctx context.Context, config *Config, log *slog.Logger, out io.Writer) error {
	return withTools(ctx, config, log, func(a *app) error {
		list, err := a.identity.Disputes(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			_, err = fmt.Fprintln(out, "No phones are in dispute.")
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "PERSON\tPHONE\tPROVED SINCE\tBLOCKED UNTIL")
		for _, d := range list {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", d.Person, cmp.Or(d.Phone, "unknown"), clock.Second(d.Bound), clock.Second(d.Until))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "See the person, their document and the phone. Then: eshik staff unblock +996…")
		return err
	})
}

// unblock clears a phone in dispute.
func (s staffCommand) unblock(ctx context.Context, config *Config, log *slog.Logger, out io.Writer) error {
	phone, ok := caller.ParsePhone(s.Unblock.Phone)
	if !ok {
		return usageError{errors.New("that is no phone number: write +996 and nine digits")}
	}
	return withTools(ctx, config, log, func(a *app) error {
		err := a.identity.Unblock(ctx, phone, s.Officer)
		if errors.Is(err, identity.ErrNoDispute) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "Cleared: the phone may be proved again, and no other phone undoes it.")
		return err
	})
}
