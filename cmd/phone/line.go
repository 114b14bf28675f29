package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

// speaker is a channel to the service: USSD or SMS.
type speaker interface {
	// say sends one line and gives the texts that come back with a remark on
	// their size.
	say(ctx context.Context, input string) ([]reply, error)
	// fill gives what a transcript only names; seen is what was shown so far.
	fill(ctx context.Context, input, seen string) (string, error)
	// prompt is what stands before the cursor.
	prompt() string
}

// reply is a text with its size as the network counts it.
type reply struct{ text, size string }

// converse reads lines until the input ends, shows the answers, and gives what was said
// as it may be written down.
func converse(ctx context.Context, line speaker, in io.Reader, out io.Writer) ([]transcript.Turn, error) {
	var conversation []transcript.Turn
	before, seen := "", "" // the screen that is answered, and all so far
	lines := bufio.NewScanner(in)
	_, _ = fmt.Fprint(out, line.prompt())
	for lines.Scan() {
		shown, err := exchange(ctx, line, lines.Text(), seen, out)
		if err != nil {
			return conversation, err
		}
		conversation = append(conversation, transcript.Recorded(lines.Text(), before, shown...))
		before = strings.Join(shown, "\n")
		seen += before + "\n"
	}
	_, _ = fmt.Fprintln(out)
	if err := lines.Err(); err != nil {
		return conversation, fmt.Errorf("read what was typed: %w", err)
	}
	return conversation, nil
}

// exchange says one line and shows what comes back.
func exchange(ctx context.Context, line speaker, input, seen string, out io.Writer) (shown []string, err error) {
	input, err = line.fill(ctx, input, seen)
	if err != nil {
		return nil, err
	}
	replies, err := line.say(ctx, input)
	if err != nil {
		return nil, err
	}
	for _, r := range replies {
		shown = append(shown, r.text)
		_, _ = fmt.Fprintf(out, "\n%s\n  [%s]\n", r.text, r.size)
	}
	_, _ = fmt.Fprint(out, "\n", line.prompt())
	return shown, nil
}

// codeName is how a transcript names a one-time code, which comes by SMS.
const codeName = "{secret}"

// code is one in a text.
var code = regexp.MustCompile(`\b\d{6}\b`)

// client asks the sandbox.
type client struct {
	base, from, to string
	known          map[string]string // what a conversation names, and is the same each time
	used           string            // the message whose code was typed last
	seen           map[string]bool   // messages that were shown
	http           *http.Client
}

// fill gives what a transcript only names: the newest code that reached the phone, a
// number that was shown, or what the phone's owner knows.
func (c *client) fill(ctx context.Context, input, seen string) (string, error) {
	if value, named := c.known[input]; named {
		return value, nil
	}
	if input != codeName {
		return cmp.Or(transcript.Last(seen, input), input), nil
	}
	for until := time.Now().Add(firstWait); ; time.Sleep(askEvery) {
		list, err := c.inbox(ctx)
		if err != nil {
			return "", err
		}
		for _, m := range list {
			found := code.FindString(m.Text)
			if found != "" && (m.ID != c.used || time.Now().After(until)) {
				c.used = m.ID
				return found, nil
			}
			if found != "" {
				break // the newest was typed already: another may be on its way
			}
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return "", errors.New("no one-time code reached the phone")
		}
	}
}

// inbox lists the messages that reached the phone, newest first.
func (c *client) inbox(ctx context.Context) (list []message, err error) {
	no, err := c.ask(ctx, http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(c.from), nil, &list)
	if err == nil && no != nil {
		err = fmt.Errorf("list the messages: %s", strings.TrimSpace(no.Error))
	}
	return list, err
}

// refusal is the sandbox's own no.
type refusal struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

func (c *client) ask(ctx context.Context, method, path string, body, into any) (*refusal, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, &sent)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the sandbox does not answer at %s; start it with: eshik serve (%w)", c.base, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		no := &refusal{Code: "unknown", Error: resp.Status}
		_ = json.NewDecoder(resp.Body).Decode(no) // without a body the status says it
		return no, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return nil, fmt.Errorf("read the sandbox's answer: %w", err)
	}
	return nil, nil
}

// ussdLine dials; a line typed while no session is open is a code to dial. A code
// typed in a session hangs up first.
type ussdLine struct {
	client
	session string
}

func (l *ussdLine) prompt() string {
	if l.session == "" {
		return "dial> "
	}
	return "> "
}

func (l *ussdLine) say(ctx context.Context, input string) ([]reply, error) {
	if l.session != "" && strings.HasPrefix(input, "*") && strings.HasSuffix(input, "#") {
		if err := l.hangUp(ctx); err != nil {
			return nil, err
		}
	}
	keys := map[string]any{"session": l.session, "input": input}
	if l.session == "" {
		keys = map[string]any{"phone": l.from, "dial": input}
	}
	var s struct {
		Session, Text, Encoding string
		End                     bool
		Units, Septets, Limit   int
	}
	no, err := l.ask(ctx, http.MethodPost, "/sandbox/ussd", keys, &s)
	if err != nil {
		return nil, err
	}
	if no != nil {
		l.session = ""
		return []reply{{text: "! " + no.Error, size: no.Code}}, nil
	}
	l.session = s.Session
	count := s.Septets
	if s.Encoding == "UCS-2" {
		count = s.Units
	}
	size := fmt.Sprintf("%d/%d %s", count, s.Limit, s.Encoding)
	if count > s.Limit {
		size += ", TOO LONG"
	}
	if s.End {
		l.session = ""
		size += ", end"
	}
	return []reply{{text: s.Text, size: size}}, nil
}

// hangUp breaks the session off.
func (l *ussdLine) hangUp(ctx context.Context) error {
	keys := map[string]any{"session": l.session, "cancel": true}
	l.session = ""
	_, err := l.ask(ctx, http.MethodPost, "/sandbox/ussd", keys, &struct{}{}) // a session that is over is no matter
	return err
}

// smsLine texts, and waits for what comes back.
type smsLine struct{ client }

func (l *smsLine) prompt() string { return "sms> " }

// message is an SMS as the sandbox lists it.
type message struct {
	ID, Text, Encoding string
	Parts              int
}

// How long the phone waits for an answer, and for more parts after one.
const (
	firstWait = 5 * time.Second
	quietWait = 700 * time.Millisecond
	askEvery  = 100 * time.Millisecond
)

func (l *smsLine) say(ctx context.Context, input string) ([]reply, error) {
	if l.seen == nil {
		if _, err := l.fresh(ctx); err != nil {
			return nil, err
		}
	}
	body := map[string]string{"from": l.from, "to": l.to, "text": input}
	no, err := l.ask(ctx, http.MethodPost, "/sandbox/sms", body, &struct{}{})
	if err != nil {
		return nil, err
	}
	if no != nil {
		return []reply{{text: "! " + no.Error, size: no.Code}}, nil
	}
	var replies []reply
	until := time.Now().Add(firstWait)
	for time.Now().Before(until) && ctx.Err() == nil {
		came, err := l.fresh(ctx)
		if err != nil {
			return nil, err
		}
		if len(came) > 0 {
			replies = append(replies, came...)
			until = time.Now().Add(quietWait)
		}
		time.Sleep(askEvery)
	}
	return replies, nil
}

// fresh gives the messages not seen yet, oldest first.
func (c *client) fresh(ctx context.Context) ([]reply, error) {
	list, err := c.inbox(ctx)
	if err != nil {
		return nil, err
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	var out []reply
	for i := len(list) - 1; i >= 0; i-- {
		m := list[i]
		if !c.seen[m.ID] {
			c.seen[m.ID] = true
			out = append(out, reply{text: m.Text, size: fmt.Sprintf("%d part(s) %s", m.Parts, m.Encoding)})
		}
	}
	return out, nil
}

// announce shows the messages that reach a phone while it dials (a one-time code,
// a receipt), until ctx ends: those that were not seen before, or, where the service
// did not answer then, all after its first answer.
func (c client) announce(ctx context.Context, out io.Writer) {
	for ctx.Err() == nil {
		time.Sleep(askEvery)
		first := c.seen == nil
		came, err := c.fresh(ctx)
		if err != nil || first {
			continue
		}
		for _, r := range came {
			_, _ = fmt.Fprintf(out, "\nSMS: %s\n  [%s]\n", r.text, r.size)
		}
	}
}

// shared is a writer for several who write at once.
type shared struct {
	mu sync.Mutex
	io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Writer.Write(p)
}
