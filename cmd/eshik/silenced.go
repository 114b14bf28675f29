package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/eshik-kg/eshik/app"
)

type smsSilenced struct{}

// Help is shown by `eshik sms silenced --help`.
func (smsSilenced) Help() string {
	return `A phone whose texts look like a machine's answers to ours (the same one again and again, eight in a row that nobody understands, faster than a ` +
		`person reads and types, more than a person writes) is not answered for ten minutes, so that no two machines talk for ever. It is told so, once. STOP, ` +
		`START and a word for help are answered all the same, three times at most. The middle of each number is hidden.`
}

// Run prints the phones, the latest first.
func (smsSilenced) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		list, err := a.Silenced(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			_, err = fmt.Fprintln(out, "Every phone was answered.")
			return err
		}
		table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "PHONE\tPROVIDER\tREASON\tSINCE\tUNTIL\tTEXTS") // a table takes everything; Flush tells
		for _, b := range list {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\n", masked(b.Phone), b.Provider, b.Reason,
				b.Since.UTC().Format(time.RFC3339), b.Until.UTC().Format(time.RFC3339), b.Silenced)
		}
		return table.Flush()
	})
}

// masked is a phone as an operator recognises it and a stranger does not.
func masked(phone string) string {
	if len(phone) < 9 {
		return "…"
	}
	return phone[:6] + "…" + phone[len(phone)-3:]
}
