package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/staff"
)

type staffCommand struct {
	Reason string `help:"Why: a case number or a few words, for the audit log; no personal number."`

	SignIn struct {
		Name string `arg:"" help:"The account's name."`
	} `cmd:"" name:"sign-in" help:"Sign in: the password and the code of the account's app are asked for, or read from two lines of the input."`
	SignOut  struct{} `cmd:"" name:"sign-out" help:"End the session."`
	Password struct{} `cmd:"" help:"Change your own password: the current one and the next, twice, are asked for, or read from three lines of the input. Your other sessions end."`
	Codes    struct{} `cmd:"" help:"Change the secret of your own codes: the password is asked for, the new secret shown, then a code of it asked for. Your other sessions end."`

	Tasks kong.Plugins `embed:""` // of the services

	ReleaseNumber struct {
		Phone string `arg:"" help:"The number, +996…"`
	} `cmd:"" help:"Note that a number has another holder, who inherits nothing. Takes two persons."`
	Disputes struct{} `cmd:"" help:"List the phones that accuse each other of not being a person's."`
	Unblock  struct {
		Phone string `arg:"" help:"The number, +996…, of the phone that is the person's: you saw their document and the phone."`
	} `cmd:"" help:"Clear a phone in dispute for the person whose personal number, as the document has it, is asked for: it may be proved again, and no phone that nobody cleared undoes it. Takes two persons."`
	Enrol struct {
		Phone string `arg:"" help:"The number, +996…, of the phone that is to be the person's: you saw them and their passport or ID-card."`
	} `cmd:"" help:"Print a code that makes a phone the person's whose personal number and document are asked for: typed there once, it proves who they are as the passport does."`
	Suspense         struct{}         `cmd:"" help:"List the payments in doubt: the register says paid, and nothing proves by whom."`
	Refunds          struct{}         `cmd:"" help:"List the money that partners have to give back: their registers did not take it, or it was sent back."`
	Returned         refundReturned   `cmd:"" help:"Note that a partner gave back what was due of a payment. Takes two persons."`
	NotReturned      refundDisputed   `cmd:"" name:"not-returned" help:"Find that a partner did not give back money after all, as the citizen says: it is due again, and the citizen is told. Takes two persons."`
	Statement        statementOf      `cmd:"" help:"Print a day's statement as CSV: each entry of a partner's account, or of the treasury's, and totals; the same bytes whenever it is asked for."`
	Remittance       remittance       `cmd:"" help:"Note that a partner paid over to the treasury what it took. Takes two persons."`
	RemittanceUndone remittanceUndone `cmd:"" name:"remittance-undone" help:"Turn a remittance around that was noted wrongly; what was posted stays. Takes two persons."`
	ClosedDay        closedDay        `cmd:"" name:"closed-day" help:"Show what each account opened and closed with on a day that is closed, what was posted by kinds, how it stands now, and the digests."`
	RefundRequests   struct{}         `cmd:"" name:"refund-requests" help:"List the settled payments that partners ask to have back."`
	Refund           refundApproved   `cmd:"" help:"Have a settled payment sent back, as its partner asked: its money is due back then. Takes two persons, besides the partner."`
	RefuseRefund     refundRefused    `cmd:"" name:"refuse-refund" help:"Refuse to send a settled payment back; the partner and the citizen are told."`
	Decide           doubtDecision    `cmd:"" help:"End a doubt as the register's holder answered; the citizen is told. Takes two persons."`

	Proposals struct{} `cmd:"" help:"List what waits for a second person: yours, and what you may decide."`
	Approve   struct {
		ID string `arg:"" help:"The proposal's id, as staff proposals lists it."`
	} `cmd:"" help:"Do what another person proposed."`
	Reject struct {
		ID string `arg:"" help:"The proposal's id, as staff proposals lists it."`
	} `cmd:"" help:"End a proposal without doing it; your own is taken back so."`

	Accounts struct{}   `cmd:"" help:"List the accounts of staff."`
	Add      addCommand `cmd:"" help:"Make an account, and print once what it signs in with. The first one is an administrator's and needs nobody; every next one takes an administrator and a second person."`
	Reset    struct {
		Name string `arg:"" help:"The account's name."`
	} `cmd:"" help:"Give an account another password and secret of codes, printed once. Takes two persons."`
	Disable struct {
		Name string `arg:"" help:"The account's name."`
	} `cmd:"" help:"Disable an account: its sessions end at once."`
}

// Run does what was asked for.
func (s staffCommand) Run(ctx context.Context, chosen *kong.Context, config *app.Config, log *slog.Logger, in io.Reader, out io.Writer) error {
	desk := desk{config: config, log: log, in: in, out: out, reason: s.Reason}
	name := chosen.Selected().Name
	switch name {
	case "sign-in":
		return desk.signIn(ctx, s.SignIn.Name)
	case "sign-out":
		return desk.signOut(ctx)
	case "password":
		return desk.changePassword(ctx)
	case "codes":
		return desk.changeCodes(ctx)
	case "disputes":
		return desk.look(ctx, name, desk.disputes)
	case "suspense":
		return desk.look(ctx, name, desk.suspense)
	case "refunds":
		return desk.look(ctx, name, desk.refunds)
	case "statement":
		return desk.look(ctx, name, s.Statement.print(out))
	case "closed-day":
		return desk.look(ctx, name, s.ClosedDay.print(out))
	case "refund-requests":
		return desk.look(ctx, name, desk.refundRequests)
	case "proposals":
		return desk.look(ctx, name, desk.proposals)
	case "accounts":
		return desk.look(ctx, name, desk.accounts)
	case "approve":
		return desk.approve(ctx, s.Approve.ID)
	case "reject":
		return desk.reject(ctx, s.Reject.ID)
	case "add":
		return desk.add(ctx, s.Add)
	}
	operation, given, err := s.asked(desk, chosen.Selected())
	if err != nil {
		return err
	}
	return desk.perform(ctx, operation, given)
}

// asked is which operation is to be done, and with what.
func (s staffCommand) asked(d desk, chosen *kong.Node) (operation string, given map[string]string, err error) {
	switch chosen.Name {
	case "release-number":
		return chosen.Name, map[string]string{"phone": s.ReleaseNumber.Phone}, nil
	case "unblock":
		pin, err := d.line("Personal number, as the document that you saw has it: ")
		return chosen.Name, map[string]string{"phone": s.Unblock.Phone, "personal-number": pin}, err
	case "enrol":
		return s.asksEnrol(d, chosen.Name)
	case "decide":
		return chosen.Name, s.Decide.given(), nil
	case "returned":
		return chosen.Name, s.Returned.given(), nil
	case "not-returned":
		return chosen.Name, s.NotReturned.given(), nil
	case "remittance":
		given, err = s.Remittance.given()
		return chosen.Name, given, err
	case "remittance-undone":
		return chosen.Name, s.RemittanceUndone.given(), nil
	case "refund":
		return chosen.Name, s.Refund.given(), nil
	case "refuse-refund":
		return chosen.Name, s.RefuseRefund.given(), nil
	case "reset":
		return chosen.Name, map[string]string{"name": s.Reset.Name}, nil
	case "disable":
		return chosen.Name, map[string]string{"name": s.Disable.Name}, nil
	}
	operation, given = taskAsked(chosen)
	return operation, given, nil
}

// asksEnrol asks for the two numbers of the document.
func (s staffCommand) asksEnrol(d desk, name string) (operation string, given map[string]string, err error) {
	pin, err := d.line("Personal number, as the document that you saw has it: ")
	if err != nil {
		return name, nil, err
	}
	document, err := d.line("Number of the ID-card or passport: ")
	return name, map[string]string{"phone": s.Enrol.Phone, "personal-number": pin, "document-number": document}, err
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

// taskAsked is a service's task with the values of its flags. A switch may make it another
// operation.
func taskAsked(chosen *kong.Node) (operation string, given map[string]string) {
	operation, given = chosen.Name, map[string]string{}
	for _, flag := range chosen.Flags {
		given[flag.Name] = fmt.Sprint(flag.Target.Interface())
	}
	for _, task := range app.Tasks() {
		for _, flag := range task.Flags {
			if task.Name == chosen.Name && flag.Operation != "" && given[flag.Name] == "true" {
				operation = flag.Operation
			}
		}
	}
	return operation, given
}

// perform has whoever is signed in do an operation, or propose it.
func (d desk) perform(ctx context.Context, operation string, given map[string]string) error {
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		out, err := a.Perform(ctx, shown, staff.Request{Operation: operation, Reason: d.reason, Given: given})
		if p := out.Waits; p != nil {
			out.Said = strings.TrimSpace(fmt.Sprintf("%s\nProposed by %s: %s. It takes a second person, until %s: eshik staff approve %s", out.Said, p.ProposedBy.Login, p.ID, clock.Second(p.ExpiresAt), p.ID))
		}
		return d.say(out.Said, err)
	})
}

// approve does what another person proposed.
func (d desk) approve(ctx context.Context, id string) error {
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		o, err := a.Staff.SignedIn(ctx, shown)
		if err != nil {
			return err
		}
		done, err := a.Approve(ctx, shown, id, d.reason)
		return d.say("Approved by "+o.Login+". "+done.Said, err)
	})
}

// reject ends a proposal.
func (d desk) reject(ctx context.Context, id string) error {
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		return d.say("Rejected: nothing was done.", a.Reject(ctx, shown, id, d.reason))
	})
}

// look shows a list to whoever is signed in and may look at it.
func (d desk) look(ctx context.Context, operation string, show func(context.Context, *app.App, staff.Officer) error) error {
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		o, err := a.Look(ctx, shown, operation, d.reason)
		if err != nil {
			return err
		}
		return show(ctx, a, o)
	})
}

// say prints what came of something.
func (d desk) say(said string, err error) error {
	if err == nil {
		_, err = fmt.Fprintln(d.out, said)
	}
	return err
}
