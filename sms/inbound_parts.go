package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

const (
	// maxParts is more than any text that a talk takes.
	maxParts = 10
	// partsWithin is how long a long text waits for its missing parts, and how
	// long after the answer a part is taken for a belated one of the same text.
	// Phones use the 255 references in turn: another text has another by then.
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
// waits; a part of a text that was answered is done with it.
func (in *Inbound) workPart(ctx context.Context, m message) error {
	late, err := db.New(in.db.Reader()).CountAnsweredParts(ctx, db.CountAnsweredPartsParams{
		Provider: m.provider, Joins: in.joins(m), AnsweredAt: dbtime.From(in.now().Add(-partsWithin)),
	})
	if err != nil {
		return fmt.Errorf("look for a part's text: %w", err)
	}
	if late > 0 {
		return in.reply(ctx, m, "", nil)
	}
	// What is stored is read after this part was: of two that come at once, the
	// later one sees both.
	whole, oldest, err := in.gather(ctx, m)
	if err != nil {
		return err
	}
	if whole.id != "" {
		return in.answer(ctx, whole)
	}
	if oldest.IsZero() || in.now().Sub(oldest) < partsWithin {
		return nil
	}
	text, err := in.say(ctx, m.Phone, "sms.incomplete")
	if err != nil {
		return err
	}
	return in.reply(ctx, m, text, nil)
}

// gather joins the stored parts of m's text; whole has no id while one is
// missing. It is called by its first part's id, whichever came last.
func (in *Inbound) gather(ctx context.Context, m message) (whole message, oldest time.Time, err error) {
	rows, err := db.New(in.db.Reader()).JoinedInbound(ctx, db.JoinedInboundParams{Provider: m.provider, Joins: in.joins(m)})
	if err != nil {
		return message{}, oldest, fmt.Errorf("list the parts of a message: %w", err)
	}
	var parts []message
	for _, row := range rows {
		part, err := in.open(m.provider, row.MessageID, row.ReceivedAt, row.Sealed)
		if err != nil {
			return message{}, oldest, err
		}
		if oldest.IsZero() || row.ReceivedAt.Before(oldest) {
			oldest = row.ReceivedAt.Time
		}
		parts = append(parts, part)
	}
	return join(parts), oldest, nil
}

// join makes one text of its parts, sorted by their place; the zero message when
// one is missing. Of a part that came twice the first counts.
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

// open reads a stored message.
func (in *Inbound) open(provider, id string, at dbtime.Time, sealed []byte) (message, error) {
	plain, err := in.sealer.Open(sealed, sealContext(provider, id))
	if err != nil {
		return message{}, fmt.Errorf("open a stored message: %w", err)
	}
	m := message{provider: provider, id: id, at: at.Time}
	if err := json.Unmarshal(plain, &m); err != nil {
		return message{}, fmt.Errorf("read a stored message: %w", err)
	}
	return m, nil
}
