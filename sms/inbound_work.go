package sms

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

const (
	// inHand bounds the messages that are worked on at once. Whoever brings one
	// more waits for handWithin, and with them the provider; then it is stored and
	// left to Resume.
	inHand     = 512
	handWithin = 5 * time.Second
	// inLine bounds those of one phone, so that nobody takes all hands; the others
	// are left to Resume.
	inLine = 8
	// workWithin bounds the work on a message; it ends before Resume takes the
	// message for a lost one.
	workWithin = waitBeforeResume / 2
)

// hand waits for a hand to work on one more message; false when none is free in
// time. It comes before the message is stored: nothing holds up what is.
func (in *Inbound) hand(ctx context.Context) bool {
	select {
	case in.hands <- struct{}{}:
		return true
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, handWithin)
	defer cancel()
	select {
	case in.hands <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// later has a stored message, for which there is a hand, worked on after those of
// its phone that came before. Its provider need not wait for that: the message is
// ours now, and Resume answers it where this process does not.
func (in *Inbound) later(ctx context.Context, m message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	line, working := in.lines[m.Phone]
	switch {
	case !working:
		in.lines[m.Phone] = nil
		go in.workLine(context.WithoutCancel(ctx), m)
	case len(line) < inLine:
		in.lines[m.Phone] = append(line, m)
	default:
		<-in.hands
		in.leave(m.Phone)
		in.log.WarnContext(ctx, "a message waits for its answer: its phone sent too many", "provider", m.provider)
	}
}

// workLine works on a phone's message and on those that come meanwhile.
func (in *Inbound) workLine(ctx context.Context, m message) {
	tries := map[string]int{} // of the messages of this line that failed, by name
	for more := true; more; {
		if err := in.workNext(ctx, m, tries); err != nil {
			in.log.ErrorContext(ctx, "a message waits for its answer", "provider", m.provider, "error", err)
		}
		<-in.hands
		m, more = in.nextInLine(m.Phone)
	}
}

// workNext works on a message of a line after those of its phone that were left.
func (in *Inbound) workNext(ctx context.Context, m message, tries map[string]int) error {
	var err error
	if in.isBehind(m.Phone) {
		err = in.answerEarlier(ctx, m, tries)
	}
	if err == nil {
		err = in.safely(ctx, m)
	}
	if err != nil {
		tries[m.name()]++
		in.leave(m.Phone)
	}
	return err
}

// nextInLine is the phone's next message; more is false when there is none, and
// the line is over.
func (in *Inbound) nextInLine(phone string) (m message, more bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	line := in.lines[phone]
	if len(line) == 0 {
		delete(in.lines, phone)
		return m, false
	}
	in.lines[phone] = line[1:]
	return line[0], true
}

// safely works on a message. A panic, whose text may hold what was texted, is an
// error of ours.
func (in *Inbound) safely(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	return problem.Guard(func() error { return in.work(ctx, m) })
}

// Wait waits until the messages in hand are worked on, for a process that ends.
func (in *Inbound) Wait(ctx context.Context) error {
	in.waits.Lock() // two would hold the tokens that each other waits for
	defer in.waits.Unlock()
	held := 0
	defer func() {
		for range held {
			<-in.hands
		}
	}()
	for range cap(in.hands) {
		select {
		case in.hands <- struct{}{}:
			held++
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
