package sms

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// rememberExchanges is how long it is known what a phone wrote last.
const rememberExchanges = 24 * time.Hour

// exchange is a text of a phone beside what was before it: by that a machine is told from
// a person. All processes share what is kept of it, of texts and answers only digests.
type exchange struct {
	sender string    // blind index of the phone
	word   string    // blind index of the text
	first  time.Time // when it came first, with nothing else since
	at     time.Time
	short  bool // it may choose on a screen
	choice bool // it is the number of a choice
	echo   bool // it repeats our last answer
	fast   bool // it came before a person could choose
	quick  bool // it came before a person could write anything else
	twice  bool // it is the text before, sent once more while that had no answer yet
	// unclear is how many texts in a row were not understood.
	unclear int64
	// paused is until when the phone is not answered; zero: it is.
	paused time.Time
	// answer is a blind index of what the phone was told last, unless it is told
	// something else now.
	answer string
}

// exchange reads what was before a text; nil where all texts are answered.
func (in *Inbound) exchange(ctx context.Context, m message) (*exchange, error) {
	if in.limiter == nil {
		return nil, nil
	}
	folded := locales.Fold(m.Text)
	x := &exchange{sender: in.sender(m.Phone), word: in.sealer.Index("sms.brake", folded), first: m.at, at: m.at}
	x.short = isShort(folded)
	x.choice = x.short && strings.Trim(folded, "0123456789") == ""
	before, err := db.New(in.db.Reader()).Exchange(ctx, x.sender)
	if errors.Is(err, sql.ErrNoRows) {
		return x, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what a phone wrote before: %w", err)
	}
	x.paused = before.PausedUntilAt.Time
	last := m.at.Sub(before.TextAt.Time)
	if before.Word == x.word && last < rememberExchanges {
		x.first = before.WordAt.Time
	}
	x.twice = before.Word == x.word && last >= 0 && m.at.Before(before.AnsweredAt.Time)
	if last < unclearGap {
		x.unclear = before.Unclear
	}
	if gap := m.at.Sub(before.AnsweredAt.Time); gap > 0 && !before.AnsweredAt.IsZero() {
		x.echo = gap < rememberAnswer && before.Answer == in.answerDigest(m.Text)
		x.fast, x.quick = gap < typingTime, gap < readingTime && last < writingTime
	}
	return x, nil
}

// run names the text and when it came first, for the limiter.
func (x *exchange) run() string {
	return x.sender + "/" + x.word + "/" + strconv.FormatInt(x.first.UnixMicro(), 10)
}

func (in *Inbound) answerDigest(text string) string {
	return in.sealer.Index("sms.brake.answer", locales.Fold(text))
}

// noteExchange keeps one of several exchanges, the last one of its phone.
const noteExchange = `INSERT INTO sms_exchanges (sender, word, word_at, text_at, answer, answered_at, unclear, paused_until_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (sender) DO UPDATE SET
    word = excluded.word, word_at = excluded.word_at, text_at = excluded.text_at, unclear = excluded.unclear,
    answer = CASE WHEN excluded.answered_at IS NULL THEN sms_exchanges.answer ELSE excluded.answer END,
    answered_at = COALESCE(excluded.answered_at, sms_exchanges.answered_at),
    paused_until_at = COALESCE(excluded.paused_until_at, sms_exchanges.paused_until_at)`

// noteAll keeps the exchanges of replies that were made. They are kept in the order of
// their phones: two processes that note the same ones do not wait for each other.
func (in *Inbound) noteAll(ctx context.Context, tx *store.Tx, replies []reply) error {
	var exchanges []*exchange
	for _, r := range replies {
		if r.exchange != nil {
			exchanges = append(exchanges, r.exchange)
		}
	}
	if len(exchanges) == 0 {
		return nil
	}
	slices.SortStableFunc(exchanges, func(a, b *exchange) int { return cmp.Compare(a.sender, b.sender) })
	rows := make([][]any, 0, len(exchanges))
	for _, x := range exchanges {
		var answered dbtime.Time
		if x.answer != "" {
			answered = dbtime.From(in.now())
		}
		rows = append(rows, []any{
			x.sender, x.word, dbtime.From(x.first), dbtime.From(x.at), x.answer, answered, x.unclear, dbtime.From(x.paused),
		})
	}
	if _, err := tx.Each(ctx, noteExchange, rows); err != nil {
		return fmt.Errorf("note what phones wrote: %w", err)
	}
	return nil
}
