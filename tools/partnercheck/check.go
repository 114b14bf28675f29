package partnercheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Result is whether a promise holds.
type Result struct {
	Promise string
	Err     error // nil: it holds
}

// promise is one thing that the guide says.
type promise struct {
	says string
	try  func(c *client, ctx context.Context) error
}

// The codes of the sandbox: of nobody, and with a wrong check digit.
const (
	nobodys   = "1234567894"
	malformed = "1234567890"
)

// promises are in the order in which they are tried: the first gets the token of the others.
var promises = []promise{
	{"the right secret gets a token, a wrong one does not", (*client).tokens},
	{"without a token nothing is said", (*client).strangers},
	{"a token does what its scopes say, and no more", (*client).scopes},
	{"a request that breaks the contract is refused, and where is told", (*client).contract},
	{"a code that nobody has, and one that is none, are told apart", (*client).codes},
	{"a plate with bills, one without and one that nobody knows are told apart", (*client).plates},
	{"a quote is made once for its key, and another request with it is refused", (*client).quotes},
	{"a txn_id is decided once, and another sum under it is refused", (*client).once},
	{"a payment that is cancelled before it comes takes nothing", (*client).cancels},
	{"a payment that is absent is said to be", (*client).absent},
}

// paid is tried where a bill may be paid.
var paid = promise{"a payment is taken once, and its register has it within half a minute", (*client).pays}

// Run tries a target's promises. told hears each result as it is there. run is digits of which each
// run has its own: transactions and keys are made of them.
func Run(ctx context.Context, target Target, run string, told func(Result)) error {
	c := &client{Target: target, http: &http.Client{Timeout: timeout}, run: run}
	all := promises
	if target.Pay {
		all = append(all[:len(all):len(all)], paid)
	}
	broken := 0
	for _, p := range all {
		err := p.try(c, ctx)
		if err != nil {
			broken++
		}
		told(Result{p.says, err})
		if c.token == "" {
			return errors.New("without a token nothing else can be tried: are the address, the id and the secret right?")
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d promises do not hold", broken, len(all))
	}
	return nil
}

// Tell writes a result for a terminal.
func Tell(out io.Writer, r Result) {
	if r.Err != nil {
		_, _ = fmt.Fprintf(out, "FAIL  %s\n      %v\n", r.Promise, r.Err) // the exit code says it too
		return
	}
	_, _ = fmt.Fprintf(out, "ok    %s\n", r.Promise)
}

func (c *client) tokens(ctx context.Context) error {
	var token struct {
		Access  string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	right, err := c.signIn(ctx, c.Secret, "")
	if err != nil {
		return err
	}
	if err := right.says(http.StatusOK, &token); err != nil {
		return err
	}
	c.token = token.Access
	if c.token == "" || token.Expires <= 0 {
		return errors.New("access_token or expires_in is missing")
	}
	wrong, err := c.signIn(ctx, c.Secret+"x", "")
	if err != nil {
		return err
	}
	var refused struct{ Error string }
	if err := wrong.says(http.StatusUnauthorized, &refused); err != nil {
		return err
	}
	if refused.Error != "invalid_client" {
		return fmt.Errorf("a wrong secret is %q, want invalid_client", refused.Error)
	}
	return nil
}

func (c *client) strangers(ctx context.Context) error {
	a, err := c.ask(ctx, "", http.MethodGet, "/payments/1", "", nil)
	if err != nil {
		return err
	}
	if a.header.Get("WWW-Authenticate") == "" {
		return errors.New("the answer has no WWW-Authenticate")
	}
	return a.refuses(http.StatusUnauthorized, "problem.partner_token_missing")
}

func (c *client) scopes(ctx context.Context) error {
	got, err := c.signIn(ctx, c.Secret, "payments.read")
	if err != nil {
		return err
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if err := got.says(http.StatusOK, &token); err != nil {
		return err
	}
	return c.refused(ctx, token.Access, http.MethodPut, c.payment("1"), map[string]any{"code": nobodys, "amount": 1}, http.StatusForbidden, "problem.scope")
}

func (c *client) contract(ctx context.Context) error {
	return errors.Join(
		c.refused(ctx, c.token, http.MethodPost, "/checks", map[string]any{}, http.StatusBadRequest, "problem.request"),
		c.refused(ctx, c.token, http.MethodPut, c.payment("2"), map[string]any{"code": nobodys, "amount": 1.5}, http.StatusBadRequest, "problem.request"),
		c.refused(ctx, c.token, http.MethodPut, "/payments/x", map[string]any{"code": nobodys, "amount": 1}, http.StatusBadRequest, "problem.request"),
	)
}

func (c *client) codes(ctx context.Context) error {
	return errors.Join(
		c.refused(ctx, c.token, http.MethodPost, "/checks", map[string]any{"code": nobodys}, http.StatusNotFound, "problem.partner_code_unknown"),
		c.refused(ctx, c.token, http.MethodPost, "/checks", map[string]any{"code": malformed}, http.StatusNotFound, "problem.partner_code_malformed"),
	)
}

// refused asks and expects a problem.
func (c *client) refused(ctx context.Context, token, method, path string, in any, status int, code string) error {
	a, err := c.ask(ctx, token, method, path, "", in)
	if err == nil {
		err = a.refuses(status, code)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// payment is the path of the n-th transaction of this run.
func (c *client) payment(n string) string { return "/payments/" + c.run + n }

// patience is how long a register may take, and pace how often it is looked.
const (
	patience = 30 * time.Second
	pace     = 500 * time.Millisecond
)

func (c *client) pays(ctx context.Context) error {
	quote, err := c.quote(ctx, "pay", http.StatusCreated)
	if err != nil {
		return err
	}
	in := map[string]any{"code": quote.Code, "amount": quote.Amount}
	var first payment
	for n := range 2 { // the answer was lost: the same again
		var now payment
		if err := c.say(ctx, http.MethodPut, c.payment("9"), in, &now); err != nil {
			return err
		}
		if n == 0 {
			first = now
		}
		if now.Reference == "" || now.Reference != first.Reference {
			return fmt.Errorf("the same request has the reference %q and then %q", first.Reference, now.Reference)
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end) && first.State == "accepted"; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pace):
		}
		if err := c.say(ctx, http.MethodGet, c.payment("9"), nil, &first); err != nil {
			return err
		}
	}
	if first.State != "settled" {
		return fmt.Errorf("it is %q", first.State)
	}
	return c.refused(ctx, c.token, http.MethodPut, c.payment("8"), in, http.StatusConflict, "problem.partner_code_closed")
}

// say asks and expects an answer of 200.
func (c *client) say(ctx context.Context, method, path string, in, out any) error {
	a, err := c.ask(ctx, c.token, method, path, "", in)
	if err == nil {
		err = a.says(http.StatusOK, out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// NewRun is what a run's transactions and keys are made of.
func NewRun(now time.Time) string { return strconv.FormatInt(now.UnixNano(), 10) }
