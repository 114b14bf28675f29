// Package problem is the one error type that crosses layers.
//
// A use case returns a *problem.Error when something went wrong that a citizen
// (or a partner) should be told about. Each channel turns it into its own form
// at the edge: a sentence in the citizen's language on USSD and SMS, an
// application/problem+json document (RFC 9457) on REST. Every other error is an
// internal one: it is logged at the edge and shown as Internal.
package problem

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// Code says whose fault a problem is and what kind of answer it deserves. It is
// coarse on purpose; the Key says exactly what happened.
type Code string

// The codes, with the HTTP status that the api packages give each.
const (
	Invalid         Code = "invalid"         // 400: the caller's input cannot be used
	Unauthenticated Code = "unauthenticated" // 401: the caller must prove who they are
	Forbidden       Code = "forbidden"       // 403: known, and not allowed
	Unproven        Code = "unproven"        // 403: signed in, and must prove who they are first
	Weak            Code = "weak"            // 403: proved who they are, and not strongly enough for this
	NotFound        Code = "not_found"       // 404: no such thing, or not theirs: never told apart
	Conflict        Code = "conflict"        // 409: the thing is in another state
	Mismatch        Code = "mismatch"        // 422: a key was reused with another body
	TooMany         Code = "too_many"        // 429: slow down; see RetryAfter
	Internal        Code = "internal"        // 500: our fault
	Upstream        Code = "upstream"        // 502: a registry answered what it should not
	Unavailable     Code = "unavailable"     // 503: a registry or a part of ours cannot be reached now
)

// Error is a problem that a person is told about.
type Error struct {
	Code Code
	// Key names the sentence in the locale files: what happened, whose fault it
	// is and what to do next. It always starts with "problem.".
	Key string
	// Args fill the sentence's placeholders: name, value, name, value.
	Args []any
	// RetryAfter is how long to wait before trying again; zero: not said.
	RetryAfter time.Duration
	// Items are the indexes of those of a list that it is about; empty: of none in
	// particular.
	Items []int
	cause error
}

// New makes a problem; args are the sentence's placeholders: name, value, ….
func New(code Code, key string, args ...any) *Error {
	return &Error{Code: code, Key: key, Args: args}
}

// Of returns a copy of e that is about those of a list with the indexes.
func (e *Error) Of(items ...int) *Error {
	c := *e
	c.Items = items
	return &c
}

// Because returns a copy of e that wraps cause, which is for logs only and is
// never shown to a person.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// After returns a copy of e that asks the caller to wait d before trying again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Until is After for a sentence that names the moment, {until}: both are made of the
// same wait, in whole seconds as a channel tells it. The minute that is named is never
// before the wait is over.
func (e *Error) Until(now time.Time, wait time.Duration) *Error {
	if whole := wait.Truncate(time.Second); whole < wait {
		wait = whole + time.Second
	}
	c := e.After(wait)
	c.Args = append(slices.Clone(e.Args), "until", clock.NotBefore(now.Add(wait)))
	return c
}

// Error is for logs: it holds the key and the cause, never the arguments, which
// may be personal.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s (%s): %v", e.Key, e.Code, e.cause)
	}
	return fmt.Sprintf("%s (%s)", e.Key, e.Code)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports equal keys, so that errors.Is works with a problem as its target.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Key == e.Key
}

// Is reports that err is a problem of a kind.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// From finds the problem in err's chain. An error without one is our fault.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "problem.internal").Because(err)
}
