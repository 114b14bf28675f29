package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/webhook"
)

type webhookCommand struct {
	List   listWebhooks  `cmd:"" help:"List the webhooks of all partners."`
	Add    addWebhook    `cmd:"" help:"Name the address for a partner's events; it is used once it answered the partner's probe."`
	Rotate rotateWebhook `cmd:"" help:"Make the next secret, printed once; the former signs for a day more."`
	Pause  pauseWebhook  `cmd:"" help:"Send nothing until resume; the partner cannot end it."`
	Resume resumeWebhook `cmd:"" help:"Take pause back."`
	Replay replayWebhook `cmd:"" help:"Send events again."`
}

// Help is shown by `eshik partner webhook --help`.
func (webhookCommand) Help() string {
	return "Partners look after their webhook themselves, over REST (docs/guides/partners.md, \"Webhook\"); this is for when they ask for help, or send us where they must not. " +
		"An administrator who is signed in (eshik staff sign-in) does it, with --reason before the command's name: `eshik partner --reason=CASE-1 webhook pause demo-wallet`. " +
		"Each change is in the audit log, and `eshik fsck` names a webhook that was changed otherwise."
}

// forWebhooks does something about webhooks; by is who does it, as the audit log names them.
func (c *cli) forWebhooks(ctx context.Context, log *slog.Logger, out io.Writer, do func(ctx context.Context, s *webhook.Service, by string) error) error {
	return c.forPartners(ctx, log, out, func(ctx context.Context, a *app.App, officer string) error {
		return do(ctx, a.Webhooks, "staff:"+officer)
	})
}

type listWebhooks struct{}

// Run lists.
func (listWebhooks) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, _ string) error {
		list, err := s.List(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(list))
		for i, w := range list {
			state := "sent"
			switch {
			case w.Disabled != "":
				state = w.Disabled
			case !w.Proved:
				state = "not proved"
			}
			rows[i] = []string{w.Partner, state, clock.Second(w.MadeAt), w.URL}
		}
		return todo{
			none: "No partner has a webhook. `eshik partner webhook add` makes one.", columns: []string{"PARTNER", "STATE", "MADE", "ADDRESS"},
			next: "`eshik partner webhook pause` has nothing sent, `replay` sends events again.",
		}.list(out, rows)
	})
}

type addWebhook struct {
	ID      string `arg:"" help:"The partner."`
	Address string `arg:"" help:"https, a public host, no user and no fragment."`
}

// Run names the address.
func (w addWebhook) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, by string) error {
		made, err := s.SetBy(ctx, by, w.ID, w.Address)
		if err != nil {
			return err
		}
		showSecret(out, made)
		_, err = fmt.Fprintln(out, "Nothing is sent there before the partner's POST /partner/v1/webhook/probe is answered.")
		return err
	})
}

// showSecret prints a new secret of a webhook; nothing where it has the one of before.
func showSecret(out io.Writer, w webhook.Webhook) {
	if w.Secret != "" {
		_, _ = fmt.Fprintf(out, "webhook    %s\nsecret     %s\nThe secret is shown no more: note it now.\n", w.Partner, w.Secret) // the last line says what went wrong
	}
}

type rotateWebhook struct {
	ID string `arg:"" help:"The partner."`
}

// Run makes the next secret.
func (w rotateWebhook) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, by string) error {
		made, err := s.RotateBy(ctx, by, w.ID)
		if err != nil {
			return err
		}
		showSecret(out, made)
		_, err = fmt.Fprintln(out, "The former one signs for 24 hours more.")
		return err
	})
}

type pauseWebhook struct {
	ID string `arg:"" help:"The partner."`
}

// Run pauses.
func (w pauseWebhook) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, by string) error {
		if err := s.Pause(ctx, by, w.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "Paused: nothing is sent. `eshik partner webhook resume` takes it back; what happens meanwhile is sent by replay.")
		return err
	})
}

type resumeWebhook struct {
	ID string `arg:"" help:"The partner."`
}

// Run resumes.
func (w resumeWebhook) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, by string) error {
		if err := s.Resume(ctx, by, w.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "Resumed: events are sent from the next one on.")
		return err
	})
}

type replayWebhook struct {
	ID    string `arg:"" help:"The partner."`
	After string `placeholder:"EVENT" help:"The event before the first one, as evt_…; from the very first when left out."`
}

// Run sends events again, all that there are.
func (w replayWebhook) Run(ctx context.Context, all *cli, log *slog.Logger, out io.Writer) error {
	return all.forWebhooks(ctx, log, out, func(ctx context.Context, s *webhook.Service, by string) error {
		count, after := 0, w.After
		for more := true; more; {
			n, last, others, err := s.ReplayBy(ctx, by, w.ID, after, webhook.MostEvents)
			if err != nil {
				return err
			}
			count, after, more = count+n, last, others
		}
		_, err := fmt.Fprintf(out, "%d events are on their way; a server that runs sends them.\n", count)
		return err
	})
}
