package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/module"
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
		_, err = fmt.Fprintf(out, "partner %s\nsecret  %s\naddress %s\nguide   docs/guides/partners.md\nThe secret is kept nowhere: note it now.\n",
			p.Create.ID, secret, a.PartnerAddress())
		return err
	})
}

type staffCommand struct {
	Officer string `default:"console" env:"ESHIK_OFFICER" help:"Who does it, for the audit log."`

	Tasks kong.Plugins `embed:""` // of the services

	ReleaseNumber struct {
		Phone string `arg:"" help:"The number, +996…"`
	} `cmd:"" help:"Note that a number has another holder, who inherits nothing."`
	Disputes struct{} `cmd:"" help:"List the phones that accuse each other of not being a person's."`
	Unblock  struct {
		Phone string `arg:"" help:"The number, +996…, of the phone that is the person's: you saw their document and the phone."`
	} `cmd:"" help:"Clear a phone in dispute: it may be proved again, and no other phone undoes it."`
	Suspense struct{}      `cmd:"" help:"List the payments in doubt: the register says paid, and nothing proves by whom."`
	Decide   doubtDecision `cmd:"" help:"End a doubt as the register's holder answered; the citizen is told."`
}

// Run does what was asked for.
func (s staffCommand) Run(ctx context.Context, chosen *kong.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	switch chosen.Selected().Name {
	case "release-number":
		return s.release(ctx, config, log, out)
	case "disputes":
		return s.disputes(ctx, config, log, out)
	case "unblock":
		return s.unblock(ctx, config, log, out)
	case "suspense":
		return s.suspense(ctx, config, log, out)
	case "decide":
		return s.decide(ctx, config, log, out)
	default:
		return s.task(ctx, chosen.Selected(), config, log, out)
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

// taskCommands are the services' tasks as kong takes commands: a structure with a field
// for each, which has a field for each flag.
func taskCommands() kong.Plugins {
	var commands []reflect.StructField
	field := func(n int, of reflect.Type, tag string) reflect.StructField {
		return reflect.StructField{Name: "F" + strconv.Itoa(n), Type: of, Tag: reflect.StructTag(tag)}
	}
	for i, task := range app.Tasks() {
		var flags []reflect.StructField
		for n, flag := range task.Flags {
			of, need := reflect.TypeFor[string](), "required:\"\" "
			if flag.Switch {
				of, need = reflect.TypeFor[bool](), ""
			}
			flags = append(flags, field(n, of, fmt.Sprintf("%sname:%q help:%q", need, flag.Name, flag.Help)))
		}
		commands = append(commands, field(i, reflect.StructOf(flags), fmt.Sprintf("cmd:\"\" name:%q help:%q", task.Name, task.Help)))
	}
	return kong.Plugins{reflect.New(reflect.StructOf(commands)).Interface()}
}

// task does one that a service has.
func (s staffCommand) task(ctx context.Context, chosen *kong.Node, config *app.Config, log *slog.Logger, out io.Writer) error {
	given := map[string]string{}
	for _, flag := range chosen.Flags {
		given[flag.Name] = fmt.Sprint(flag.Target.Interface())
	}
	return app.Beside(ctx, config, log, func(a *app.App) error {
		tasks := app.Tasks()
		at := slices.IndexFunc(tasks, func(t module.Task) bool { return t.Name == chosen.Name })
		done, err := tasks[at].Do(ctx, a.Modules, s.Officer, given)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, done)
		return err
	})
}
