// Package partnercheck tries a server of the partner interface, ours or a double that somebody
// built to develop against, from outside, and says what of its promises holds.
package partnercheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Target is what is tried.
type Target struct {
	Address    string // https://…, without a path
	ID, Secret string // of an OAuth client
	// Plates that the server knows: with bills, and without.
	Owing, Clean string
	// Pay has a bill of Owing paid. Without it nothing is paid.
	Pay bool
}

// client asks a target.
type client struct {
	Target
	http  *http.Client
	token string
	run   string // makes the keys and transactions of a run its own: digits
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// timeout is what the guide gives an answer.
const timeout = 60 * time.Second

// most bounds what is read of an answer.
const most = 1 << 20

func (c *client) send(request *http.Request) (answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return answer{}, fmt.Errorf("the answer breaks off: %w", err)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// signIn asks for a token; scope may be empty.
func (c *client) signIn(ctx context.Context, secret, scope string) (answer, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope != "" {
		form.Set("scope", scope)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Address+"/partner/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(secret))
	return c.send(request)
}

// ask makes a request of REST with a token; key and in may be empty.
func (c *client) ask(ctx context.Context, token, method, path, key string, in any) (answer, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return answer{}, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Address+"/partner/v1"+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	return c.send(request)
}

// says expects a status, and reads the answer into out unless that is nil.
func (a answer) says(status int, out any) error {
	if a.status != status {
		return fmt.Errorf("answered with %d, want %d: %.200s", a.status, status, a.body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("the answer is no JSON of the contract: %w", err)
	}
	return nil
}

// refuses expects a problem (RFC 9457) of a status and a code.
func (a answer) refuses(status int, code string) error {
	var problem struct {
		Type, Title, Detail, Code string
		Status                    int
	}
	if err := a.says(status, &problem); err != nil {
		return err
	}
	switch kind := a.header.Get("Content-Type"); {
	case !strings.HasPrefix(kind, "application/problem+json"):
		return fmt.Errorf("a problem comes as %q", kind)
	case problem.Code != code:
		return fmt.Errorf("the code is %q, want %q", problem.Code, code)
	case problem.Status != status || problem.Detail == "" || problem.Title == "":
		return errors.New("the problem lacks status, title or detail")
	}
	return nil
}
