package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/staff"
)

// addCommand is a new account.
type addCommand struct {
	Name   string `arg:"" help:"What its holder signs in with: 3 to 40 of a-z, 0-9 and -."`
	Role   string `required:"" help:"operator, clerk, inspector or administrator."`
	Person string `required:"" help:"The holder's personnel number, never the citizen's personal number: accounts of one person are one approver."`
	Office string `help:"Whom a clerk works for: centre/41711 (the first five digits of the territory's SOATE code), kindergarten/K001."`
}

// add makes an account; the first one without anybody who is signed in.
func (d desk) add(ctx context.Context, c addCommand) error {
	given := map[string]string{"name": c.Name, "person": c.Person, "role": c.Role, "office": c.Office}
	if _, err := os.Lstat(d.sessionFile()); !errors.Is(err, os.ErrNotExist) {
		return d.perform(ctx, "add", given)
	}
	return d.beside(ctx, func(a *app.App) error {
		empty, err := a.Staff.Empty(ctx)
		if err != nil {
			return err
		}
		if !empty {
			return errNobody
		}
		keys, err := a.Staff.AddFirst(ctx, staff.Profile{Login: c.Name, Person: c.Person, Role: staff.Role(c.Role), Office: c.Office})
		if err != nil {
			return err
		}
		return d.say(app.HandOver(c.Name, keys), nil)
	})
}

// accounts lists the accounts.
func (d desk) accounts(ctx context.Context, a *app.App, _ staff.Officer) error {
	list, err := a.Staff.Accounts(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, one := range list {
		rows[i] = []string{one.Login, string(one.Role), cmp.Or(one.Office, "-"), one.Person, clock.Second(one.MadeAt), moment(one.DisabledAt)}
	}
	return todo{
		columns: []string{"NAME", "ROLE", "OFFICE", "PERSON", "MADE", "DISABLED"},
		next:    "eshik staff disable NAME ends one at once; eshik staff reset NAME gives it other credentials.",
	}.list(d.out, rows)
}

// proposals lists what waits for a second person.
func (d desk) proposals(ctx context.Context, a *app.App, o staff.Officer) error {
	list, err := a.Staff.Proposals(ctx, o)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, p := range list {
		rows[i] = []string{p.ID, p.Operation, arguments(p), p.Facts, p.ProposedBy.Login, p.Reason, clock.Second(p.ExpiresAt)}
	}
	return todo{
		none:    "Nothing waits for a second person.",
		columns: []string{"ID", "OPERATION", "WITH", "RESTS ON", "PROPOSED BY", "REASON", "UNTIL"},
		next:    "Look whether it is right. Then: eshik staff approve ID (or reject ID)",
	}.list(d.out, rows)
}

// arguments are what an operation is proposed with.
func arguments(p staff.Proposal) string {
	var words []string
	for name, value := range p.Shown() {
		words = append(words, name+"="+value)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
