package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/preschool"
)

type partnerCommand struct {
	Create struct {
		ID string `arg:"" help:"The partner's id: 3 to 40 of a-z, 0-9 and -."`
	} `cmd:"" help:"Make a payment partner and print its secret, once."`
}

// Run makes a partner.
func (p partnerCommand) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		secret, err := a.Partners.CreatePartner(ctx, p.Create.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "partner %s\nsecret  %s\nThe secret is kept nowhere: note it now.\n", p.Create.ID, secret)
		return err
	})
}

type staffCommand struct {
	Officer string `default:"console" env:"ESHIK_OFFICER" help:"Who does it, for the audit log."`
	Offer   struct {
		Registration string `required:"" help:"Registration number of the child."`
		Kindergarten string `required:"" help:"Code of the kindergarten."`
	} `cmd:"" help:"Offer a preschool place; the parent is told by SMS."`
	TakeBack struct {
		Registration string `required:"" help:"Registration number of the child."`
	} `cmd:"" help:"End a preschool place that the parent gave back; the child may be registered anew."`
	ReleaseNumber struct {
		Phone string `arg:"" help:"The number, +996…"`
	} `cmd:"" help:"Note that a number has another holder, who inherits nothing."`
	Disputes struct{} `cmd:"" help:"List the phones that accuse each other of not being a person's."`
	Unblock  struct {
		Phone string `arg:"" help:"The number, +996…, of the phone that is the person's: you saw their document and the phone."`
	} `cmd:"" help:"Clear a phone in dispute: it may be proved again, and no other phone undoes it."`
	Doubts struct{}      `cmd:"" help:"List the payments in doubt: the register says paid, and nothing proves by whom."`
	Decide doubtDecision `cmd:"" help:"End a doubt as the register's holder answered; the citizen is told."`
}

// Run does what was asked for.
func (s staffCommand) Run(ctx context.Context, chosen *kong.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	switch chosen.Selected().Name {
	case "take-back":
		return s.takeBack(ctx, config, log, out)
	case "release-number":
		return s.release(ctx, config, log, out)
	case "disputes":
		return s.disputes(ctx, config, log, out)
	case "unblock":
		return s.unblock(ctx, config, log, out)
	case "doubts":
		return s.doubts(ctx, config, log, out)
	case "decide":
		return s.decide(ctx, config, log, out)
	default:
		return s.offer(ctx, config, log, out)
	}
}

// release forgets what belongs to a number's earlier holder.
func (s staffCommand) release(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	phone, ok := caller.ParsePhone(s.ReleaseNumber.Phone)
	if !ok {
		return app.UsageError{Err: errors.New("that is no phone number: write +996 and nine digits")}
	}
	return app.Beside(ctx, config, log, func(a *app.App) error {
		if err := a.Identity.Release(ctx, phone, s.Officer); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "Released: whoever holds the number now begins anew.")
		return err
	})
}

// offer offers a place.
func (s staffCommand) offer(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		offer, err := module.Of[*preschool.Service](a.Modules).Offer(ctx, s.Officer, s.Offer.Registration, s.Offer.Kindergarten)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Offered: %s (%s), registration %s, to be answered by %s. Children before it in the queue: %d.\n",
			offer.Name.RU, offer.Kindergarten, offer.Number, clock.ShowDate(offer.LastDay()), offer.Ahead)
		return err
	})
}

// takeBack ends a place.
func (s staffCommand) takeBack(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		ended, err := module.Of[*preschool.Service](a.Modules).TakeBack(ctx, s.Officer, s.TakeBack.Registration)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "Given back: %s (%s), registration %s. The child may be registered anew.\n",
			ended.Name.RU, ended.Kindergarten, ended.Number)
		return err
	})
}
