package sms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

const (
	// workSlots bounds the messages that are worked on, or wait in a queue, at once.
	// Whoever brings one more waits for slotWithin, and with them the provider; then it
	// is stored and left to Resume.
	workSlots  = 512
	slotWithin = 5 * time.Second
	// queueLength bounds those of one phone, so that nobody takes all slots; the others
	// are left to Resume.
	queueLength = 8
	// workWithin bounds the work on a message; it ends before Resume takes the
	// message for a lost one.
	workWithin = waitBeforeResume / 2
)

// slot waits for a slot to work on one more message; false when none is free in
// time. It comes before the message is stored: nothing holds up what is.
func (in *Inbound) slot(ctx context.Context) bool {
	select {
	case in.slots <- struct{}{}:
		return true
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, slotWithin)
	defer cancel()
	select {
	case in.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// enqueue has a stored message, for which there is a slot, worked on after those of
// its phone that came before. Its provider need not wait for that: the message is
// ours now, and Resume answers it where this process does not.
func (in *Inbound) enqueue(ctx context.Context, m message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	queue, working := in.queues[m.Phone]
	switch {
	case !working:
		in.queues[m.Phone] = nil
		go in.workQueue(context.WithoutCancel(ctx), m)
	case len(queue) < queueLength:
		in.queues[m.Phone] = append(queue, m)
	default:
		<-in.slots
		in.postpone(m.Phone)
		in.log.WarnContext(ctx, "a message waits for its answer: its phone sent too many", "provider", m.provider)
	}
}

// workQueue works on a phone's message and on those that come meanwhile.
func (in *Inbound) workQueue(ctx context.Context, m message) {
	tries := map[string]int{} // of the messages of this queue that failed, by name
	for more := true; more; {
		if err := in.workNext(ctx, m, tries); err != nil {
			in.log.ErrorContext(ctx, "a message waits for its answer", "provider", m.provider, "error", err)
		}
		<-in.slots
		m, more = in.nextInQueue(m.Phone)
	}
}

// workNext works on a message of a queue after those of its phone that were left.
func (in *Inbound) workNext(ctx context.Context, m message, tries map[string]int) error {
	var err error
	if in.hasBacklog(m.Phone) {
		err = in.answerEarlier(ctx, m, tries)
	}
	if err == nil {
		err = in.safely(ctx, m)
	}
	if err != nil {
		tries[m.name()]++
		in.postpone(m.Phone)
	}
	return err
}

// nextInQueue is the phone's next message; more is false when there is none, and
// the queue is over.
func (in *Inbound) nextInQueue(phone string) (m message, more bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	queue := in.queues[phone]
	if len(queue) == 0 {
		delete(in.queues, phone)
		return m, false
	}
	in.queues[phone] = queue[1:]
	return queue[0], true
}

// safely works on a message. A panic, whose text may hold what was texted, is an
// error of ours.
func (in *Inbound) safely(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	return problem.Guard(func() error { return in.work(ctx, m) })
}

// Wait waits until the messages that have a slot are worked on, for a process that ends.
func (in *Inbound) Wait(ctx context.Context) error {
	in.waits.Lock() // two would hold the tokens that each other waits for
	defer in.waits.Unlock()
	held := 0
	defer func() {
		for range held {
			<-in.slots
		}
	}()
	for range cap(in.slots) {
		select {
		case in.slots <- struct{}{}:
			held++
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// work answers a whole message, or the one whose last part m is. One that waited
// too long is not worked on any more.
func (in *Inbound) work(ctx context.Context, m message) error {
	if in.now().Sub(m.at) > giveUpAfter {
		text, err := in.say(ctx, m.Phone, "problem.internal")
		if err != nil {
			return err
		}
		return in.reply(ctx, m, text)
	}
	if m.Parts > 0 {
		return in.workPart(ctx, m)
	}
	return in.answer(ctx, m)
}

// answer takes the message's turn in its conversation and sends what the conversation says.
// Done twice, it has one effect: the conversation knows the message's id.
func (in *Inbound) answer(ctx context.Context, m message) error {
	wish := in.wishes.of(m.Text)
	x, err := in.exchange(ctx, m)
	if err != nil {
		return err
	}
	if x != nil && x.twice { // nobody has read yet what the next screen would take it for
		in.unanswered(m.provider, reasonTwice)
		return in.reply(ctx, m, "")
	}
	if reason := in.isLoop(ctx, x, wish); reason != "" {
		if done, err := in.brake(ctx, m, x, reason, wish); done || err != nil {
			return err
		}
	}
	turn := in.turn(m)
	if wish != nil {
		awaited, err := in.awaits(ctx, turn, wish)
		if err != nil {
			return err
		}
		if !awaited {
			return in.obey(ctx, m, x, wish)
		}
	}
	answer, err := in.conversations.Turn(ctx, turn)
	if err != nil {
		return err
	}
	if reason := in.isLost(ctx, x, answer.Unclear); reason != "" {
		return in.silence(ctx, m, x, reason, nil)
	}
	return in.replyTo(ctx, reply{message: m, text: answer.Text, exchange: x})
}

// turn is a message as a conversation takes it.
func (in *Inbound) turn(m message) session.Turn {
	return session.Turn{
		Session: "sms", Phone: m.Phone, Channel: caller.SMS, Gateway: m.provider,
		Operator: caller.Operator(m.Phone), Text: m.Text, ID: m.name(),
		Budget: Budget, Lifetime: Lifetime, Now: in.now(),
	}
}

// awaits reports that a conversation may have asked for what reads as a wish.
func (in *Inbound) awaits(ctx context.Context, turn session.Turn, w *wish) (bool, error) {
	if w.firm {
		return false, nil
	}
	return in.conversations.Awaits(ctx, turn)
}

// reply marks the message answered and sends the answer, unless somebody did.
func (in *Inbound) reply(ctx context.Context, m message, text string) error {
	return in.replyTo(ctx, reply{message: m, text: text})
}

// replyTo is reply for one with more to it.
func (in *Inbound) replyTo(ctx context.Context, r reply) error {
	if r.exchange != nil && r.text != "" {
		r.exchange.answer = in.answerDigest(r.text)
	}
	if _, err := in.answered.Do(ctx, r); err != nil {
		return fmt.Errorf("answer a message: %w", err)
	}
	return nil
}

// say writes a sentence in the phone's language, in Kyrgyz and Russian until it is
// chosen.
func (in *Inbound) say(ctx context.Context, phone, key string, args ...any) (string, error) {
	loc, err := in.languages.Locale(ctx, phone)
	if err != nil {
		return "", err
	}
	if loc != "" {
		return gsm.Pick(in.texts.Message(loc, key, args...)), nil
	}
	kyrgyz := gsm.Pick(in.texts.Message(locales.KY, key, args...))
	return kyrgyz + "\n" + gsm.Pick(in.texts.Message(locales.RU, key, args...)), nil
}

// unanswered counts a text that was taken and is not answered.
func (in *Inbound) unanswered(provider, reason string) {
	if in.counted != nil {
		in.counted(provider, reason)
	}
}

// Resume has those messages answered whose work ended before its answer was
// stored, tells of the ones whose parts did not all come, and forgets the ids
// of old ones. It also notes whose texts are to be answered before their next one:
// run it at the start and every few seconds; instances may run it at once.
func (in *Inbound) Resume(ctx context.Context) error {
	now := in.now()
	waiting, err := db.New(in.db.Reader()).WaitingInbound(ctx, db.WaitingInboundParams{
		ReceivedAt: dbtime.From(now.Add(-waitBeforeResume)), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list messages that wait: %w", err)
	}
	faults := []error{in.lookForBacklog(ctx)}
	for _, row := range waiting {
		faults = append(faults, in.resume(ctx, row))
	}
	err = in.db.InTx(ctx, func(tx *store.Tx) error {
		if err := db.New(tx).ForgetBrakes(ctx, dbtime.From(now.Add(-rememberBrakes))); err != nil {
			return err
		}
		if err := db.New(tx).ForgetExchanges(ctx, dbtime.From(now.Add(-rememberExchanges))); err != nil {
			return err
		}
		_, err := db.New(tx).ForgetInbound(ctx, dbtime.From(now.Add(-rememberFor)))
		return err
	})
	if err != nil {
		faults = append(faults, fmt.Errorf("forget old messages: %w", err))
	}
	return errors.Join(faults...)
}

// resume has one message that was left worked on, if there is a slot for it.
func (in *Inbound) resume(ctx context.Context, row db.WaitingInboundRow) error {
	m, err := in.open(row.Provider, row.MessageID, row.ReceivedAt, row.Sealed)
	if err != nil {
		// It was sealed with another key: nobody will ever read it.
		return errors.Join(err, in.reply(ctx, message{provider: row.Provider, id: row.MessageID}, ""))
	}
	select {
	case in.slots <- struct{}{}:
		in.enqueue(ctx, m)
	default: // those that come are worked on; the next round finds it
	}
	return nil
}
