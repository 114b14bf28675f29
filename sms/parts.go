package sms

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

const (
	// maxParts is more than any text that a conversation takes.
	maxParts = 10
	// partsWithin is how long a long text waits for its missing parts, and how
	// long after the answer a part with the same words, or in a place that was not
	// answered, is taken for one of the same text.
	partsWithin = 2 * time.Minute
)

// joins is what the parts of one text have in common; "" for a whole text.
func (in *Inbound) joins(m message) string {
	if m.Parts == 0 {
		return ""
	}
	return in.sealer.Index("sms_inbound.joins", fmt.Sprintf("%s %s %d %d", m.provider, m.Phone, m.Ref, m.Parts))
}

// workPart answers the text that m completes. A text that still lacks a part
// waits; parts of a text that was answered are done with it, if nothing else came
// with them that makes a new one: a phone may use a reference again at once.
func (in *Inbound) workPart(ctx context.Context, m message) error {
	before, err := in.answeredParts(ctx, m)
	if err != nil {
		return err
	}
	// What is stored is read after this part was: of two that come at once, the
	// later one sees both.
	parts, oldest, err := in.gather(ctx, m)
	if err != nil {
		return err
	}
	fresh := in.fresh(parts, before)
	whole := join(fresh)
	switch {
	case whole.id != "" && in.isNews(fresh, before):
		return in.answer(ctx, whole)
	case !oldest.IsZero() && in.now().Sub(oldest) < partsWithin, len(parts) == 0:
		return nil
	case len(before) > 0 && !in.isNews(fresh, before):
		for range parts {
			in.unanswered(m.provider, reasonAgain)
		}
		return in.reply(ctx, m, "")
	}
	text, err := in.say(ctx, m.Phone, "sms.incomplete")
	if err != nil {
		return err
	}
	return in.reply(ctx, m, text)
}

// answeredParts are the digests of the parts, by place, that were answered with m's
// reference a short while before m came, or since.
func (in *Inbound) answeredParts(ctx context.Context, m message) (map[int][]string, error) {
	rows, err := db.New(in.db.Reader()).AnsweredParts(ctx, db.AnsweredPartsParams{
		Provider: m.provider, Joins: in.joins(m), AnsweredAt: dbtime.From(m.at.Add(-partsWithin)),
	})
	if err != nil {
		return nil, fmt.Errorf("look for a part's text: %w", err)
	}
	before := map[int][]string{}
	for _, row := range rows {
		before[int(row.Part)] = append(before[int(row.Part)], row.Echo)
	}
	return before, nil
}

// saysNew reports a part that says something else than the answered one in its place.
// One that was stored without a digest, by an earlier build, says the same as any.
func (in *Inbound) saysNew(part message, before map[int][]string) bool {
	said := before[part.Part]
	return len(said) > 0 && !slices.Contains(said, in.echo(part)) && !slices.Contains(said, "")
}

// isNews reports parts that are more than what was answered, come again: all of a text of
// which nothing was answered, or one with a word of its own.
func (in *Inbound) isNews(parts []message, before map[int][]string) bool {
	return len(before) == 0 || slices.ContainsFunc(parts, func(part message) bool { return in.saysNew(part, before) })
}

// fresh leaves out, of the parts in one place, those that were answered where another
// is new.
func (in *Inbound) fresh(parts []message, before map[int][]string) []message {
	renewed := map[int]bool{}
	for _, part := range parts {
		renewed[part.Part] = renewed[part.Part] || in.saysNew(part, before)
	}
	return slices.DeleteFunc(slices.Clone(parts), func(part message) bool { return renewed[part.Part] && !in.saysNew(part, before) })
}

// gather gives the stored parts of m's text by their place, and when the first came.
func (in *Inbound) gather(ctx context.Context, m message) (parts []message, oldest time.Time, err error) {
	rows, err := db.New(in.db.Reader()).JoinedInbound(ctx, db.JoinedInboundParams{Provider: m.provider, Joins: in.joins(m)})
	if err != nil {
		return nil, oldest, fmt.Errorf("list the parts of a message: %w", err)
	}
	for _, row := range rows {
		part, err := in.open(m.provider, row.MessageID, row.ReceivedAt, row.Sealed)
		if err != nil {
			return nil, oldest, err
		}
		if oldest.IsZero() || row.ReceivedAt.Before(oldest) {
			oldest = row.ReceivedAt.Time
		}
		parts = append(parts, part)
	}
	return parts, oldest, nil
}

// join makes one text of its parts, sorted by their place; the zero message when
// one is missing. It is called by its first part's id, whichever came last. Of a part that came twice the first counts.
func join(parts []message) (whole message) {
	var text strings.Builder
	place := 0
	for _, part := range parts {
		if part.Part != place+1 {
			continue
		}
		if place == 0 {
			whole = part
		}
		text.WriteString(part.Text)
		place++
	}
	if place == 0 || place < whole.Parts {
		return message{}
	}
	whole.Text = text.String()
	return whole
}
