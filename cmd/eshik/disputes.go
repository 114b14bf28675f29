package main

import (
	"cmp"
	"context"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/staff"
)

// disputes lists the phones that accuse each other.
func (d desk) disputes(ctx context.Context, a *app.App, _ staff.Officer) error {
	list, err := a.Identity.Disputes(ctx)
	if err != nil {
		return err
	}
	rows := make([][]string, len(list))
	for i, one := range list {
		rows[i] = []string{one.Person, cmp.Or(one.Phone, "unknown"), clock.Second(one.Bound), clock.Second(one.Until)}
	}
	return todo{
		none:    "No phones are in dispute.",
		columns: []string{"PERSON", "PHONE", "PROVED SINCE", "BLOCKED UNTIL"},
		next:    "See the person, their document and the phone. Then: eshik staff unblock +996…, which asks for the personal number on the document.",
	}.list(d.out, rows)
}
