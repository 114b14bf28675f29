package app

import (
	"context"
	"slices"

	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/sandbox"
)

// invented reports that an account is the sandbox's where it is not taken: in production.
// Its name and personnel number are the sandbox's own, which no house gives out.
func (c *Config) invented(o staff.Officer) bool {
	return c.production() && slices.ContainsFunc(sandbox.FixedOfficers(), func(one sandbox.Officer) bool {
		return one.Name == o.Login && one.Person == o.Person
	})
}

// warnOfInvented says in production that the database has accounts of a sandbox, and what to
// do: they are not taken.
func (a *App) warnOfInvented(ctx context.Context) {
	list, err := a.Staff.Accounts(ctx)
	if err != nil { // who signs in is told; nobody else needs the accounts
		a.Log.ErrorContext(ctx, "the accounts of staff cannot be read", "error", err)
	}
	for _, one := range list {
		if one.Invented && one.DisabledAt.IsZero() {
			a.Log.WarnContext(ctx, "an account of staff is the sandbox's and is refused here; when you have others: eshik staff disable NAME", "name", one.Login)
		}
	}
}

// officers makes the sandbox's accounts of staff where they are not there. What they sign in
// with, which the server keeps sealed or hashed, stays with the sandbox. fresh says that it
// was drawn now, and is to be printed once.
func (o *outside) officers(ctx context.Context, service *staff.Service, folder string) (fresh bool, err error) {
	o.staff, fresh, err = sandbox.Officers(folder, func(one *sandbox.Officer) error {
		keys, err := service.NewCredentials(one.Name)
		one.Password, one.Secret, one.URI = keys.Password, keys.Secret, keys.URI
		return err
	})
	if err != nil {
		return false, err
	}
	for _, one := range o.staff {
		profile := staff.Profile{Login: one.Name, Person: one.Person, Role: staff.Role(one.Role), Office: one.Office}
		if err := service.Ensure(ctx, profile, staff.Credentials{Password: one.Password, Secret: one.Secret, URI: one.URI}); err != nil {
			return false, err
		}
	}
	return fresh, nil
}
