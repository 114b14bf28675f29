package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/staff"
)

var errTwice = app.UsageError{Err: errors.New("the two are not the same: nothing was changed")}

// changePassword gives whoever is signed in another password.
func (d desk) changePassword(ctx context.Context) error {
	current, err := d.line("Current password: ")
	if err != nil {
		return err
	}
	next, err := d.line("New password, 12 characters or more: ")
	if err != nil {
		return err
	}
	again, err := d.line("The new password again: ")
	if err != nil {
		return err
	}
	if next != again {
		return errTwice
	}
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		token, err := a.Staff.ChangePassword(ctx, shown, current, next)
		if err != nil {
			return err
		}
		return d.say("Changed. Your other sessions have ended.", keep(d.sessionFile(), token))
	})
}

// changeCodes gives whoever is signed in another secret of codes, once a code of it was
// shown: an app that did not take it shuts nobody out.
func (d desk) changeCodes(ctx context.Context) error {
	password, err := d.line("Current password: ")
	if err != nil {
		return err
	}
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		next, err := a.Staff.NewSecret(ctx, shown, password)
		if err != nil {
			return err
		}
		if err := d.say(fmt.Sprintf("codes    %s\napp      %s\nType the secret into the app, or scan the address.", next.Secret, next.URI), nil); err != nil {
			return err
		}
		code, err := d.line("A code of the new secret: ")
		if err != nil {
			return err
		}
		token, err := a.Staff.ConfirmSecret(ctx, shown, next.Sealed, code)
		if err != nil {
			return err
		}
		return d.say("Changed. Your other sessions have ended.", keep(d.sessionFile(), token))
	})
}
