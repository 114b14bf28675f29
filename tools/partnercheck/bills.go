package partnercheck

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// user is whom bills are looked for: a pseudonym, of which each run has its own.
func (c *client) user() string { return "check-" + c.run }

type bill struct {
	Service, Ref, State string
	Amount              int64
}

type found struct {
	Results []struct {
		Answer string
		Bills  []bill
	}
}

type payment struct{ Reference, State, Code string }

type quoted struct {
	Code, State, Service string
	Amount               int64
}

func (c *client) find(ctx context.Context, plates ...string) (f found, err error) {
	keys := make([]map[string]string, len(plates))
	for i, plate := range plates {
		keys[i] = map[string]string{"plate": plate}
	}
	if err := c.say(ctx, http.MethodPost, "/bills", map[string]any{"user": c.user(), "find": keys}, &f); err != nil {
		return f, err
	}
	if len(f.Results) != len(plates) {
		return f, fmt.Errorf("%d searches have %d results", len(plates), len(f.Results))
	}
	return f, nil
}

// strange is a plate in the form of one that no register has.
const strange = "09KG999ZZZ"

func (c *client) plates(ctx context.Context) error {
	f, err := c.find(ctx, c.Owing, c.Clean, strange, "ZZZZ")
	if err != nil {
		return err
	}
	var wrong []error
	for i, want := range []string{"found", "none", "unknown", "malformed"} {
		if got := f.Results[i].Answer; got != want || (len(f.Results[i].Bills) > 0) != (want == "found") {
			wrong = append(wrong, fmt.Errorf("plate %d is %q with %d bills, want %q", i+1, got, len(f.Results[i].Bills), want))
		}
	}
	return errors.Join(wrong...)
}

// quote has the first bill that can be paid quoted, under a key of this run.
func (c *client) quote(ctx context.Context, key string, status int) (q quoted, err error) {
	f, err := c.find(ctx, c.Owing)
	if err != nil {
		return q, err
	}
	for _, b := range f.Results[0].Bills {
		if b.State != "payable" {
			continue
		}
		a, err := c.ask(ctx, c.token, http.MethodPost, "/quotes", "check-"+c.run+key, map[string]any{"user": c.user(), "service": b.Service, "bills": []string{b.Ref}})
		if err == nil {
			err = a.says(status, &q)
		}
		return q, err
	}
	return q, fmt.Errorf("%s has no bill that can be paid: name a plate that has", c.Owing)
}

func (c *client) quotes(ctx context.Context) error {
	first, err := c.quote(ctx, "quote", http.StatusCreated)
	if err != nil {
		return err
	}
	again, err := c.quote(ctx, "quote", http.StatusCreated)
	if err != nil {
		return err
	}
	if first.Code == "" || first != again {
		return fmt.Errorf("the same request made %+v and then %+v", first, again)
	}
	other, err := c.ask(ctx, c.token, http.MethodPost, "/quotes", "check-"+c.run+"quote", map[string]any{"user": c.user(), "service": first.Service, "bills": []string{"1"}})
	if err != nil {
		return err
	}
	if err := other.refuses(http.StatusUnprocessableEntity, "problem.partner_key_reused"); err != nil {
		return err
	}
	var gone quoted
	if err := c.say(ctx, http.MethodDelete, "/quotes/"+first.Code, nil, &gone); err != nil {
		return err
	}
	if gone.State != "cancelled" {
		return fmt.Errorf("a quote that was cancelled is %q", gone.State)
	}
	in := map[string]any{"code": first.Code, "amount": first.Amount}
	return c.refused(ctx, c.token, http.MethodPut, c.payment("3"), in, http.StatusConflict, "problem.partner_code_closed")
}

func (c *client) once(ctx context.Context) error {
	in := map[string]any{"code": nobodys, "amount": 100}
	for range 2 {
		if err := c.refused(ctx, c.token, http.MethodPut, c.payment("4"), in, http.StatusNotFound, "problem.partner_code_unknown"); err != nil {
			return err
		}
	}
	in["amount"] = 200
	return c.refused(ctx, c.token, http.MethodPut, c.payment("4"), in, http.StatusUnprocessableEntity, "problem.partner_txn_reused")
}

func (c *client) cancels(ctx context.Context) error {
	for range 2 {
		var p payment
		if err := c.say(ctx, http.MethodDelete, c.payment("5"), nil, &p); err != nil {
			return err
		}
		if p.State != "cancelled" {
			return fmt.Errorf("a payment that was cancelled is %q", p.State)
		}
	}
	in := map[string]any{"code": nobodys, "amount": 100}
	return c.refused(ctx, c.token, http.MethodPut, c.payment("5"), in, http.StatusConflict, "problem.partner_txn_cancelled")
}

func (c *client) absent(ctx context.Context) error {
	return c.refused(ctx, c.token, http.MethodGet, c.payment("7"), nil, http.StatusNotFound, "problem.partner_payment_absent")
}
