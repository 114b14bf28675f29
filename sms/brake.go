package sms

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/limit"
)

// Limiter bounds how often something may happen, as limit.Limiter does.
type Limiter interface {
	Allow(ctx context.Context, key string, rate limit.Rate) (ok bool, retryAfter time.Duration, err error)
}

const (
	// brakeFor is how long a phone is not answered. A loop ends with the first text
	// that is not: nothing is left to answer to.
	brakeFor = 10 * time.Minute
	// rememberBrakes is how long the operator sees that a phone was not answered.
	rememberBrakes = 30 * 24 * time.Hour
	// typingTime is less than an answer takes to reach a phone, be read and be answered
	// by a person.
	typingTime = 2 * time.Second
	// readingTime is the same for an answer that is more than a choice, and writingTime
	// less than a person takes from one such text to the next, who did not wait for the
	// answer to the one before.
	readingTime = 5500 * time.Millisecond
	writingTime = 6 * time.Second
	// choiceLength is the longest text, in characters, that chooses on a screen: who
	// pages through a long list writes the same one many times.
	choiceLength = 3
	// mostUnclear is how many texts in a row may be understood as nothing, none more
	// than unclearGap after the one before.
	mostUnclear = 8
	unclearGap  = time.Hour
)

// Reasons why a phone is not answered.
const (
	reasonSame     = "same"     // the same text again and again
	reasonEcho     = "echo"     // our own answer comes back
	reasonFast     = "fast"     // texts that come faster than a person reads and types
	reasonUnclear  = "unclear"  // texts in a row that say nothing here
	reasonMany     = "many"     // more texts than a person writes
	reasonSilenced = "silenced" // one of those, a short while ago
	reasonAgain    = "again"    // a message that is known came once more
	reasonTwice    = "twice"    // the same text once more, before the first one's answer
)

// bound is how many texts of a kind a phone is answered. A person who tries a word again
// is below all of them.
type bound struct {
	reason string
	limit.Rule
}

// The bounds. Words are repeated by impatience, choices by paging; both count only as
// long as nothing else comes between. Choices are typed ahead by who knows the menu.
var (
	wordBounds = []bound{
		{reasonSame, limit.Rule{Name: "sms.brake/w1", What: sameWord, Rate: limit.Rate{N: 5, Per: time.Minute}}},
		{reasonSame, limit.Rule{Name: "sms.brake/w30", What: sameWord, Rate: limit.Rate{N: 10, Per: 30 * time.Minute}}},
		{reasonSame, limit.Rule{Name: "sms.brake/w1440", What: sameWord, Rate: limit.Rate{N: 30, Per: 24 * time.Hour}}},
	}
	choiceBounds = []bound{
		{reasonSame, limit.Rule{Name: "sms.brake/c1", What: sameChoice, Rate: limit.Rate{N: 20, Per: time.Minute}}},
		{reasonSame, limit.Rule{Name: "sms.brake/c30", What: sameChoice, Rate: limit.Rate{N: 60, Per: 30 * time.Minute}}},
	}
	echoBound   = bound{reasonEcho, limit.Rule{Name: "sms.brake/e10", What: "texts that are our own answer", Rate: limit.Rate{N: 3, Per: rememberAnswer}}}
	fastBound   = bound{reasonFast, limit.Rule{Name: "sms.brake/f1", What: "texts that come faster than a person types", Rate: limit.Rate{N: 15, Per: time.Minute}}}
	quickBound  = bound{reasonFast, limit.Rule{Name: "sms.brake/q2", What: "texts that come faster than a person reads", Rate: limit.Rate{N: 12, Per: 2 * time.Minute}}}
	manyWords   = bound{reasonMany, limit.Rule{Name: "sms.brake/m10", What: "texts that are no choices", Rate: limit.Rate{N: 60, Per: 10 * time.Minute}}}
	manyChoices = bound{reasonMany, limit.Rule{Name: "sms.brake/k10", What: "texts that choose on a screen", Rate: limit.Rate{N: 120, Per: 10 * time.Minute}}}
	manyInAll   = bound{reasonMany, limit.Rule{Name: "sms.brake/m1440", What: "texts", Rate: limit.Rate{N: 300, Per: 24 * time.Hour}}}
	// manyWishes is for STOP and START, which count with nothing else.
	manyWishes = bound{reasonMany, limit.Rule{Name: "sms.brake/s10", What: "STOP and START", Rate: limit.Rate{N: 20, Per: 10 * time.Minute}}}
	// pauseBound is for what is answered in a pause: two machines would go on with it.
	pauseBound = bound{reasonSilenced, limit.Rule{Name: "sms.brake/p10", What: "STOP and START in such a pause", Rate: limit.Rate{N: 3, Per: brakeFor}}}
)

const (
	sameWord   = "the same text again, that is no choice"
	sameChoice = "the same choice again"
)

// Limits are the rules of texts that are answered, for the table of all.
func Limits() []limit.Rule {
	var all []limit.Rule
	for _, b := range slices.Concat(wordBounds, choiceBounds, []bound{
		echoBound, fastBound, quickBound, manyWords, manyChoices, manyInAll, manyWishes, pauseBound,
	}) {
		r := b.Rule
		r.Who, r.In, r.Open = "a phone", limit.InLimiter, true
		r.Instead = fmt.Sprintf("nothing, for %d minutes: it seems to be a machine", int(brakeFor.Minutes()))
		all = append(all, r)
	}
	return all
}

// rememberAnswer is how long an answer that comes back is recognised.
const rememberAnswer = 10 * time.Minute

// isLoop tells why a text is not to be answered; "" when it is. In a pause it is only if
// it asks for what the law has us do; see also stands.
func (in *Inbound) isLoop(ctx context.Context, x *exchange, wish *wish) (reason string) {
	if x == nil {
		return ""
	}
	if in.now().Before(x.paused) {
		if wish != nil && wish.firm && !in.isOver(ctx, pauseBound, x.sender) {
			return ""
		}
		return reasonSilenced
	}
	for _, b := range x.same() {
		if in.isOver(ctx, b, x.run()) {
			return b.reason
		}
	}
	if wish != nil && wish.firm { // it is confirmed however many texts came before
		if in.isOver(ctx, manyWishes, x.sender) {
			return manyWishes.reason
		}
		return ""
	}
	for _, b := range x.bounds() {
		if in.isOver(ctx, b, x.sender) {
			return b.reason
		}
	}
	return ""
}

// isLost tells why a text is not to be answered that was taken to the conversation, and notes
// whether it was understood there.
func (in *Inbound) isLost(ctx context.Context, x *exchange, unclear bool) (reason string) {
	switch {
	case x == nil, in.now().Before(x.paused):
		return ""
	case !unclear:
		x.unclear = 0
		return ""
	case x.choice: // a finger slips, and a machine that only presses keys is quick
		if x.quick && in.isOver(ctx, quickBound, x.sender) {
			return quickBound.reason
		}
		return ""
	}
	if x.unclear++; x.unclear >= mostUnclear {
		return reasonUnclear
	}
	return ""
}

// same are the bounds for a text that only repeats itself.
func (x *exchange) same() []bound {
	if x.short {
		return choiceBounds
	}
	return wordBounds
}

// bounds are those for all of a phone's texts that this one is subject to. A choice that
// is typed quickly counts if it is none: see isLost.
func (x *exchange) bounds() (list []bound) {
	if x.echo {
		list = append(list, echoBound)
	}
	if x.fast {
		list = append(list, fastBound)
	}
	if x.choice {
		return append(list, manyChoices, manyInAll)
	}
	if x.quick {
		list = append(list, quickBound)
	}
	return append(list, manyWords, manyInAll)
}

// isOver counts one more text of a kind. A limiter that cannot count holds nobody up.
func (in *Inbound) isOver(ctx context.Context, b bound, key string) bool {
	ok, _, err := in.limiter.Allow(ctx, b.Name+"/"+key, b.Rate)
	if err != nil {
		in.log.WarnContext(ctx, "texts are not counted", "error", err)
		return false
	}
	return !ok
}

// isShort reports a text that may choose on a screen.
func isShort(word string) bool { return utf8.RuneCountInString(word) <= choiceLength }
