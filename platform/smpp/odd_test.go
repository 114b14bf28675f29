package smpp_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/smpp"
	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
)

// numbered is a deliver_sm with a text and a sequence number, and octets behind it.
func numbered(t *testing.T, sequence uint32, text string, more ...byte) []byte {
	t.Helper()
	p := deliver([]byte(text), nil)
	p.Sequence = sequence
	raw, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, more...)
	raw[2], raw[3] = byte(len(raw)>>8), byte(len(raw))
	return raw
}

func (s *station) texts() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.heard {
		list = append(list, string(d.Message.Short))
	}
	return list
}

func (s *station) counted(reason string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.faulty {
		if r == reason {
			n++
		}
	}
	return n
}

// T3, T7: a message with octets behind it is taken, and so is every one with sequence
// number 0, or with a number that was used before; each has a name of its own.
func TestDeliveredOddly(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address})
	smsc.Until("bound")
	for _, raw := range [][]byte{
		numbered(t, 5, "a", 0), numbered(t, 5, "b"), numbered(t, 0, "c"), numbered(t, 0, "c"), numbered(t, 5, "b"), numbered(t, 1, "d", 0xFF, 0xFF, 0xFF),
	} {
		if status := smsc.Raw(raw); status != 0 {
			t.Errorf("%x is answered with %#x", raw, status)
		}
		<-s.got
	}
	if got := strings.Join(s.texts(), ""); got != "abccbd" {
		t.Errorf("heard %q", got)
	}
	if s.counted(smpp.OddTrailing) != 2 || s.counted("again") != 0 {
		t.Errorf("counted %q", s.faulty)
	}
	names := map[string]bool{}
	for _, d := range s.heard {
		names[d.ID] = true
	}
	if len(names) != 6 {
		t.Errorf("named %v", names)
	}
}

// T7: what comes again, to the octet, before it is answered is a repeat, and answered
// as often as it came; with another text it is none.
func TestDeliveredAgainUnanswered(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	hold := make(chan struct{})
	s := runWith(t, smpp.Config{Address: smsc.Address}, func(smpp.Delivery) { <-hold })
	smsc.Until("bound")
	for _, raw := range [][]byte{numbered(t, 9, "pay"), numbered(t, 9, "pay"), numbered(t, 9, "other"), numbered(t, 0, "pay")} {
		smsc.Do(map[string]any{"raw": hex.EncodeToString(raw)})
		smsc.Until("done")
	}
	// The reader has all of them once it has answered what comes behind them.
	smsc.Do(map[string]any{"raw": "00000010" + "00000006" + "00000000" + "00000063"})
	smsc.Until("unbind_resp")
	close(hold)
	for range 3 {
		<-s.got
	}
	got := s.texts()
	slices.Sort(got)
	if strings.Join(got, " ") != "other pay pay" || s.counted("again") != 1 {
		t.Errorf("heard %q, counted %q", got, s.faulty)
	}
}

// T14: the id in a response that is not written as it should be is kept whole.
func TestOddResponses(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address})
	smsc.Until("bound")
	long := strings.Repeat("7f", 45)
	for name, test := range map[string]struct{ body, want string }{
		"without its end":      {hex.EncodeToString([]byte("A1B2")), "A1B2"},
		"90 characters":        {hex.EncodeToString([]byte(long)) + "00", long},
		"90 without their end": {hex.EncodeToString([]byte(long)), long},
		"octets behind it":     {"413100" + "00", "A1"},
		"no body":              {"", ""},
		"between spaces":       {"2020413120" + "00", "A1"},
	} {
		smsc.Do(map[string]any{"body": test.body})
		smsc.Until("done")
		if id, err := s.Submit(t.Context(), submit("Салам"), nil); err != nil || id != test.want {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
}

// late has a submit_sm go unanswered, and gives the response that may still come.
func (s *station) late(t *testing.T, text string) *smpp.Late {
	t.Helper()
	_, err := s.Submit(t.Context(), submit(text), nil)
	var unanswered *smpp.UnansweredError
	if !errors.As(err, &unanswered) || !errors.Is(err, smpp.ErrOutcomeUnknown) {
		t.Fatalf("submitted with %v", err)
	}
	return unanswered.Late
}

// T12, T13: a response that comes when nobody waits any more, over the same link or
// the next one, is its request's and no other's.
func TestLateResponses(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]bool{"same link": false, "next link": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			smsc := smpptest.Start(t)
			s := run(t, smpp.Config{Address: smsc.Address, Response: 300 * time.Millisecond})
			smsc.Until("bound")
			smsc.Do(map[string]any{"late": 2, "ids": []string{"first", "second", "third"}})
			smsc.Until("done")
			told := make(chan string, 2)
			for _, text := range []string{"1", "2"} {
				s.late(t, text).Then(func(id string, err error) {
					if err != nil {
						t.Error(err)
					}
					told <- text + " " + id
				})
			}
			if breaks {
				smsc.Do(map[string]any{"disconnect": true})
				smsc.Until("bound")
			}
			if id, err := s.Submit(t.Context(), submit("3"), nil); err != nil || id != "third" {
				t.Errorf("meanwhile %q, %v", id, err)
			}
			smsc.Do(map[string]any{"release": true})
			got := []string{<-told, <-told}
			slices.Sort(got)
			if strings.Join(got, ", ") != "1 first, 2 second" {
				t.Errorf("told %q", got)
			}
			if n := s.counted("unasked"); n != 0 {
				t.Errorf("%d responses to nothing", n)
			}
		})
	}
}

// T13: responses that the centre sends after it unbound are read, and then the link
// is made anew.
func TestResponsesAfterUnbind(t *testing.T) {
	t.Parallel()
	smsc := smpptest.Start(t)
	s := run(t, smpp.Config{Address: smsc.Address})
	smsc.Until("bound")
	smsc.Do(map[string]any{"late": 1, "ids": []string{"kept"}})
	smsc.Until("done")
	type result struct {
		id  string
		err error
	}
	done := make(chan result, 1)
	go func() {
		id, err := s.Submit(t.Context(), submit("1"), nil)
		done <- result{id, err}
	}()
	smsc.Until("submit")
	smsc.Do(map[string]any{"unbind": true})
	smsc.Until("unbind_resp")
	smsc.Do(map[string]any{"release": true})
	if got := <-done; got.err != nil || got.id != "kept" {
		t.Errorf("answered %+v", got)
	}
	smsc.Until("bound")
}
