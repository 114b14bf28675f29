package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/problem"
)

// Side says where a call to a registry went wrong.
type Side string

// The sides.
const (
	// SideOurs: our request, our rights or our security server.
	SideOurs Side = "ours"
	// SideTheirs: the producer's security server, or the way to it.
	SideTheirs Side = "theirs"
	// SideRegistry: the registry itself answered an error or nonsense.
	SideRegistry Side = "registry"
	// SideNetwork: no answer came from our security server in time.
	SideNetwork Side = "network"
	// SideBreaker: the call was not made because the service keeps failing.
	SideBreaker Side = "breaker"
)

// Types of errors that this package finds itself; other values of Error.Type
// come from X-Road ("Server.ServerProxy.NetworkError").
const (
	TypeNetwork = "Network"
	TypeTimeout = "Timeout"
	TypeCut     = "CutBody"
	TypeTooBig  = "TooBig"
	TypeSchema  = "Schema"
	TypeStatus  = "Status"
	TypeOpen    = "BreakerOpen"
)

// Error is a failed call. It holds nothing that the registry or the citizen
// wrote, so it may be logged.
type Error struct {
	// Service is the service's X-Road id, without the path and the query.
	Service string
	Side    Side
	Type    string
	// Status is the HTTP status; 0: there was no answer.
	Status int
	// MayHaveActed is true when the registry may have done what was asked even
	// though the answer did not come: the outcome must be asked for, not assumed.
	MayHaveActed bool
	cause        error
}

// Error is for logs.
func (e *Error) Error() string {
	text := fmt.Sprintf("registry %s: %s (side %s, status %d)", e.Service, e.Type, e.Side, e.Status)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// MayHaveActed reports whether the call that ended with err may have had its
// effect all the same. It is false for an error that no registry call made.
func MayHaveActed(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.MayHaveActed
}

// Untouched reports that err is a registry call's and that the registry cannot
// have acted on it: it was stopped by the breaker, found no connection, or was
// turned away by our own security server. It is false for every other error.
func Untouched(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.MayHaveActed
}

// asProblem wraps e in the problem that a citizen is told: registry_down (try
// later), registry_answer (the registry answered what it should not) or
// registry_ours (our own link is at fault).
func (e *Error) asProblem() error {
	code, key := problem.Unavailable, "problem.registry_down"
	switch {
	case e.Side == SideOurs:
		key = "problem.registry_ours"
	case e.Side == SideRegistry:
		code, key = problem.Upstream, "problem.registry_answer"
	}
	return problem.New(code, key).Because(e)
}

// sideOf reads the side from an X-Road error type. The spelling changed in 2025
// (Server.ServerProxy.NetworkError → server.serverproxy.network_error).
func sideOf(errorType string) Side {
	plain := strings.ReplaceAll(strings.ToLower(errorType), "_", "")
	switch {
	case strings.Contains(plain, ":"):
		// A qualified SOAP fault code (soapenv:Server) is the registry's own.
		return SideRegistry
	case strings.HasPrefix(plain, "client"), strings.HasPrefix(plain, "server.clientproxy"):
		return SideOurs
	case strings.HasPrefix(plain, "server.serverproxy"):
		return SideTheirs
	}
	return SideRegistry
}

// typeLetters is all that is kept of a foreign error type: without digits it
// can carry no personal number.
var typeLetters = regexp.MustCompile(`[^A-Za-z._:]`)

const longestType = 100

// xroadError is an error that X-Road reported.
func xroadError(service, errorType string, status int) *Error {
	kept := typeLetters.ReplaceAllString(errorType, "")
	if len(kept) > longestType {
		kept = kept[:longestType]
	}
	side := sideOf(errorType)
	refused := strings.HasPrefix(strings.ToLower(errorType), "client")
	return &Error{Service: service, Side: side, Type: kept, Status: status, MayHaveActed: !refused}
}

// schemaError is an answer that is not what the protocol says. why must hold
// nothing of the answer's content.
func schemaError(service string, status int, why string) *Error {
	return &Error{
		Service: service, Side: SideRegistry, Type: TypeSchema, Status: status,
		MayHaveActed: true, cause: errors.New(why),
	}
}

// networkError is a call without an answer. The URL, which may hold a personal
// number, is taken out of err.
func networkError(service string, err error) *Error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	e := &Error{Service: service, Side: SideNetwork, Type: TypeNetwork, MayHaveActed: true, cause: err}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		e.MayHaveActed = false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Type = TypeTimeout
	}
	return e
}
