package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// REST calls services by the X-Road REST message protocol 1.0.4.
type REST struct {
	cfg      Config
	breakers *breakers
}

// NewREST makes the client. It fails on a base URL or a client id that cannot be.
func NewREST(cfg Config) (*REST, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &REST{cfg: cfg, breakers: newBreakers(cfg.OpenFor)}, nil
}

// Request is what is asked of a REST service.
type Request struct {
	Method  string
	Service ServiceID
	// Path follows the service, a part per element, each percent-encoded on its own.
	Path  []string
	Query url.Values
}

// Do sends a request with in as its JSON body (nil: none) and decodes a JSON
// answer into out. It returns the HTTP status: a 204 leaves out untouched, and a
// 4xx of the registry itself comes with an error that holds Side SideRegistry
// and Type TypeStatus. Every error is a problem.Error around an *Error.
func (r *REST) Do(ctx context.Context, call Call, request Request, in, out any) (status int, err error) {
	if err := call.check(); err != nil {
		return 0, err
	}
	service := request.Service.String()
	err = r.breakers.do(service, func() error {
		status, err = r.send(ctx, call, request, in, out)
		return err
	})
	var failed *Error
	if errors.As(err, &failed) {
		return status, failed.asProblem()
	}
	return status, err
}

func (r *REST) send(ctx context.Context, call Call, request Request, in, out any) (int, error) {
	id := r.cfg.NewID()
	req, err := r.newRequest(ctx, call, id, request, in)
	if err != nil {
		return 0, err
	}
	service := request.Service.String()
	got, err := exchange(ctx, r.cfg, service, req, longestBody)
	if err != nil {
		return 0, err
	}
	return got.status, readREST(got, service, id, out)
}

func (r *REST) newRequest(ctx context.Context, call Call, id string, request Request, in any) (*http.Request, error) {
	target, err := r.target(request)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding a request to %s: %w", request.Service, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, request.Method, target, body)
	if err != nil {
		// err would show the path, which may hold a personal number.
		return nil, fmt.Errorf("building a request to %s failed", request.Service)
	}
	req.Header.Set("X-Road-Client", r.cfg.Client)
	req.Header.Set("X-Road-Id", id)
	req.Header.Set("X-Road-UserId", call.UserID)
	req.Header.Set("X-Road-Issue", call.Issue)
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return req, nil
}

// target is the request's URL. A path part that a server could read as "go up"
// is refused, for it would reach another service than the one named.
func (r *REST) target(request Request) (string, error) {
	target := r.cfg.BaseURL + "/r1"
	for _, part := range append(request.Service.parts(), request.Path...) {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("a path part for %s is empty or dots", request.Service)
		}
		target += "/" + url.PathEscape(part)
	}
	if len(request.Query) > 0 {
		target += "?" + request.Query.Encode()
	}
	return target, nil
}

// readREST checks an answer against the protocol and decodes it.
func readREST(got answer, service, id string, out any) error {
	if got.header.Get("X-Road-Error") != "" {
		return xroadError(service, got.header.Get("X-Road-Error"), got.status)
	}
	switch {
	case got.status >= 500:
		return &Error{Service: service, Side: SideTheirs, Type: TypeStatus, Status: got.status, MayHaveActed: true}
	case got.header.Get("X-Road-Id") != id:
		return schemaError(service, got.status, "the X-Road-Id is not the one sent")
	case got.status >= 400:
		return &Error{Service: service, Side: SideRegistry, Type: TypeStatus, Status: got.status}
	case got.status == http.StatusNoContent:
		return nil
	case got.status >= 300:
		return schemaError(service, got.status, "a redirect, which X-Road forbids")
	}
	return readJSON(got, service, out)
}

func readJSON(got answer, service string, out any) error {
	kind, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return schemaError(service, got.status, "the answer is not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(got.body))
	if err := decoder.Decode(out); err != nil {
		// err may quote the answer, so it goes no further.
		return schemaError(service, got.status, "the JSON does not fit")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return schemaError(service, got.status, "there is more after the JSON")
	}
	return nil
}
