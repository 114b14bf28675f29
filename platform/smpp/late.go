package smpp

import (
	"errors"
	"fmt"
	"sync"
)

// Late is the response to a submit_sm that was not there in time: it may still come,
// over the same link or the next one.
type Late struct {
	mu     sync.Mutex
	answer *PDU
	then   func(id string, err error)
}

// Then has then called, once, with what Submit would have returned, if the response
// comes while the process lives. It runs in a goroutine of its own.
func (l *Late) Then(then func(id string, err error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.then = then
	l.tell()
}

// come takes the response.
func (l *Late) come(p PDU) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = &p
	l.tell()
}

func (l *Late) tell() {
	if l.answer == nil || l.then == nil {
		return
	}
	then, answer := l.then, *l.answer
	l.then = nil
	go func() { then(accepted(answer)) }()
}

// UnansweredError is that of a submit_sm whose response did not come in time; it wraps
// ErrOutcomeUnknown.
type UnansweredError struct {
	Late  *Late
	cause error
}

// Error says why nobody waits any longer.
func (e *UnansweredError) Error() string { return fmt.Sprintf("%v: %v", ErrOutcomeUnknown, e.cause) }

// Unwrap gives ErrOutcomeUnknown and the cause.
func (e *UnansweredError) Unwrap() []error { return []error{ErrOutcomeUnknown, e.cause} }

// Reasons why a response is not waited for.
var (
	errNoResponse = errors.New("no response in time")
	errLinkBroke  = errors.New("the link broke")
)

// unanswered notes that nobody waits for a response any more. Only that to a
// submit_sm is of use later.
func (l *link) unanswered(one *request, cause error) error {
	if one.command != SubmitSM {
		l.asked.remove(one)
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, cause)
	}
	return &UnansweredError{Late: l.asked.delay(one), cause: cause}
}

// accepted reads a response to submit_sm.
func accepted(answer PDU) (id string, err error) {
	if answer.Status != StatusOK {
		return "", &StatusError{Status: answer.Status}
	}
	if answer.Command == GenericNack { // with a status that says nothing
		return "", &StatusError{Status: StatusSystem}
	}
	return messageID(answer.ID), nil
}
