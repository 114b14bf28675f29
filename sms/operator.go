package sms

import (
	"cmp"
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// What is remembered of operators, and for how long. Numbers are ported within a day.
const (
	maxOperators    = 10_000
	operatorLasts   = 24 * time.Hour
	noOperatorLasts = time.Hour   // the provider knows none: the prefix counts
	failureLasts    = time.Minute // it did not answer about this number
	// lookupsAtOnce bounds the questions under way.
	lookupsAtOnce = 8
	// lookupWait is what a message that nobody waits for is held up by a question, and
	// lookupTime what the question may take in all.
	lookupWait = time.Second
	lookupTime = 5 * time.Second
	// lookupPause is how long a provider that does not answer is not asked.
	lookupPause = 10 * time.Second
)

// operatorTeller is a provider that knows which network a number is in today: numbers
// are ported, and the prefix stays.
type operatorTeller interface {
	// OperatorOf gives the network's name as caller.Operators has it; empty: the
	// provider knows none, or one that we do not.
	OperatorOf(ctx context.Context, phone string) (operator string, err error)
}

// operators remembers what a provider tells of numbers, the last used ones.
type operators struct {
	teller operatorTeller
	now    func() time.Time

	mu     sync.Mutex
	known  map[string]*list.Element // of *operatorEntry, by phone
	used   *list.List               // the last used first
	asking map[string]chan struct{} // closed with the answer
	paused time.Time
}

type operatorEntry struct {
	phone, operator string
	until           time.Time
}

func newOperators(teller operatorTeller, now func() time.Time) *operators {
	return &operators{teller: teller, now: now, known: map[string]*list.Element{}, used: list.New(), asking: map[string]chan struct{}{}}
}

// of names a phone's operator: the one that was told, or the prefix's. A message that
// somebody waits for is not held up: what is told in the meantime serves the next one.
func (o *operators) of(ctx context.Context, phone string, awaited bool) string {
	prefix := caller.Operator(phone)
	if o == nil || prefix == "" { // abroad, or no mobile phone's
		return prefix
	}
	told, known, answered := o.look(phone)
	if known || answered == nil || awaited {
		return cmp.Or(told, prefix)
	}
	wait := time.NewTimer(lookupWait)
	defer wait.Stop()
	select {
	case <-answered:
	case <-wait.C:
	case <-ctx.Done():
	}
	told, _ = o.remembered(phone)
	return cmp.Or(told, prefix)
}

// look gives what is known of a phone, or sees to it that its operator is being asked
// for: answered is closed then, and nil where that is not possible now.
func (o *operators) look(phone string) (told string, known bool, answered chan struct{}) {
	if told, known = o.remembered(phone); known {
		return told, true, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if answered, under := o.asking[phone]; under {
		return "", false, answered
	}
	if len(o.asking) >= lookupsAtOnce || o.now().Before(o.paused) {
		return "", false, nil
	}
	answered = make(chan struct{})
	o.asking[phone] = answered
	go o.ask(phone, answered)
	return "", false, answered
}

// ask asks about one phone and remembers the answer, also that there was none.
func (o *operators) ask(phone string, answered chan struct{}) {
	defer close(answered)
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	entry := &operatorEntry{phone: phone}
	err := problem.Guard(func() (err error) {
		entry.operator, err = o.teller.OperatorOf(ctx, phone)
		return err
	})
	lasts := operatorLasts
	switch {
	case err != nil:
		entry.operator, lasts = "", failureLasts
	case entry.operator == "":
		lasts = noOperatorLasts
	}
	now := o.now()
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.asking, phone)
	if err != nil {
		o.paused = now.Add(lookupPause)
	}
	entry.until = now.Add(lasts)
	o.keep(entry)
}

// keep remembers an answer in place of the one that was not used for longest.
func (o *operators) keep(entry *operatorEntry) {
	if before, has := o.known[entry.phone]; has {
		o.used.Remove(before)
	}
	o.known[entry.phone] = o.used.PushFront(entry)
	for o.used.Len() > maxOperators {
		last := o.used.Back()
		oldest := o.used.Remove(last).(*operatorEntry) //nolint:forcetypeassert // the list holds nothing else
		delete(o.known, oldest.phone)
	}
}

// remembered is what was told of a phone lately; "" and true: that nothing is known.
func (o *operators) remembered(phone string) (told string, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, has := o.known[phone]
	if !has {
		return "", false
	}
	entry := at.Value.(*operatorEntry) //nolint:forcetypeassert // the list holds nothing else
	if !o.now().Before(entry.until) {
		return "", false
	}
	o.used.MoveToFront(at)
	return entry.operator, true
}
