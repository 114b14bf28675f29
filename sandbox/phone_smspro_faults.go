package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// SMSPROFault is how the simulated SMSPRO misbehaves at one of its addresses. What is
// planned beside Drop, Cut and Delay is answered in place of the answer.
type SMSPROFault struct {
	// Times is how many requests it is for; negative: all of them.
	Times int
	// Early has the request take no effect: without it the effect is there, and only the
	// answer is spoilt.
	Early bool
	// Delay holds the answer back.
	Delay time.Duration
	// Drop cuts the connection, and Cut the answer in its middle.
	Drop, Cut bool
	// Status is a status of the protocol, HTTP one of HTTP's, Body what is said.
	Status, HTTP int
	Body         string
}

// Plan has requests to an address, as /api/message, go wrong; the zero fault has none.
func (s *SMSPRO) Plan(path string, f SMSPROFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = f
}

// Fate sets the report of a phone's messages, by the protocol's number.
func (s *SMSPRO) Fate(phone string, report int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fates[phone] = report
}

// Port moves a number to another operator, under the name that is told.
func (s *SMSPRO) Port(phone, operator string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ported[phone] = operator
}

// Pay sets what is left in the account, in messages.
func (s *SMSPRO) Pay(messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account.Money = messages
}

// Asked is how many requests came to an address.
func (s *SMSPRO) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// Heard is how many reports were answered with 200.
func (s *SMSPRO) Heard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// spoil answers as planned.
func (s *SMSPRO) spoil(path string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, planned := s.fault(path)
		if !planned {
			answer(w, r)
			return
		}
		var told unsent
		if !f.Early {
			answer(&told, r)
		}
		if f.Delay > 0 && pause(r.Context(), f.Delay) != nil || f.Drop {
			panic(http.ErrAbortHandler)
		}
		if f.Status != 0 {
			told = unsent{}
			answerXML(&told, "Message", fmt.Sprintf("<status>%d</status>", f.Status))
		}
		body := told.String()
		if f.Body != "" || f.HTTP != 0 {
			body = f.Body
		}
		if f.Cut {
			body = body[:len(body)/2]
		}
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		w.WriteHeader(max(f.HTTP, http.StatusOK))
		_, _ = w.Write([]byte(body)) // #nosec G705 -- what a test planned
	}
}

// fault counts a request and says what is planned for it.
func (s *SMSPRO) fault(path string) (f SMSPROFault, planned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[path]++
	f = s.faults[path]
	if f.Times == 0 {
		return f, false
	}
	left := f
	left.Times = max(f.Times-1, -1)
	if f.Times < 0 {
		left.Times = f.Times
	}
	s.faults[path] = left
	return f, true
}

// unsent keeps an answer that is not to be sent as it is.
type unsent struct{ bytes.Buffer }

// Header implements http.ResponseWriter: what is set is not sent.
func (*unsent) Header() http.Header { return http.Header{} }

// WriteHeader implements http.ResponseWriter.
func (*unsent) WriteHeader(int) {}
