package sms

import (
	"context"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/store"
)

// Stops is the list of phones that want no notices, as the outbox keeps it.
type Stops interface {
	Stop(ctx context.Context, tx *store.Tx, phone string) error
	Start(ctx context.Context, tx *store.Tx, phone string) error
}

// effect is what a message changes, in the transaction of its answer.
type effect func(ctx context.Context, tx *store.Tx, phone string) error

// The words that end notices, and that bring them back, folded. They are law and
// habit: each stands before any talk, but only as the whole message and letter by
// letter.
var (
	stopWords = folded(
		"stop", "stopall", "unsubscribe", "стоп", "токтот", "токтотуу", "токтоткула", "отписка", "отписаться", "отпишите",
	)
	startWords = folded("start", "unstop", "subscribe", "баштоо", "башта", "старт", "подписка", "подписаться")
)

// wish is what a message that is one such word asks for.
type wish struct {
	do  effect
	key string // of the sentence that confirms it
}

// wish finds what text asks for; nil for everything that belongs to a talk.
func (in *Inbound) wish(text string) *wish {
	if in.stops == nil {
		return nil
	}
	word := locales.Fold(strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }))
	switch {
	case stopWords[word]:
		return &wish{do: in.stops.Stop, key: "sms.stopped"}
	case startWords[word]:
		return &wish{do: in.stops.Start, key: "sms.started"}
	}
	return nil
}

// folded are words as they are compared: without case, ө for о and the like.
func folded(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, word := range words {
		set[locales.Fold(word)] = true
	}
	return set
}

// obey does what the citizen wishes and confirms it once.
func (in *Inbound) obey(ctx context.Context, m message, w *wish) error {
	text, err := in.say(ctx, m.Phone, w.key)
	if err != nil {
		return err
	}
	return in.reply(ctx, m, text, w.do)
}
