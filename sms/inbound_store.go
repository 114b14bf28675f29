package sms

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// arrival is a message to be stored.
type arrival struct {
	message
	echo   string // "" for a message that has a number
	sealed []byte
}

// reply is what is said to a message, and done for it.
type reply struct {
	message
	text string // nothing is said when it is empty
	do   effect // nil: nothing is done
	// exchange is kept with it; nil: what was before stays known.
	exchange *exchange
}

// keepAll stores messages; a result is false for one that is known already.
func (in *Inbound) keepAll(ctx context.Context, tx *store.Tx, arrivals []arrival) ([]bool, error) {
	fresh := make([]bool, len(arrivals))
	var numbered []arrival
	for i, a := range arrivals {
		if a.echo == "" {
			numbered = append(numbered, a)
			continue
		}
		again, err := in.isAgain(ctx, tx, a)
		if err == nil && !again {
			var stored names
			stored, err = in.insert(ctx, tx, []arrival{a})
			fresh[i] = stored.take(a.name())
		}
		if err != nil {
			return nil, err
		}
	}
	stored, err := in.insert(ctx, tx, numbered)
	if err != nil {
		return nil, err
	}
	for i, a := range arrivals {
		fresh[i] = fresh[i] || stored.take(a.name())
	}
	return fresh, nil
}

// insert writes rows with one statement and gives the names of those that were
// not known.
func (in *Inbound) insert(ctx context.Context, tx *store.Tx, arrivals []arrival) (names, error) {
	if len(arrivals) == 0 {
		return nil, nil
	}
	const columns = 8
	values := make([]any, 0, columns*len(arrivals))
	for _, a := range arrivals {
		echo := a.echo
		if a.Parts > 0 {
			echo = in.echo(a.message) // a reference may be used again at once, with other words
		}
		values = append(values, a.provider, a.id, dbtime.From(a.at), a.sealed, in.joins(a.message), a.Part, echo, in.sender(a.Phone))
	}
	rows, err := tx.QueryContext(ctx, "INSERT INTO sms_inbound (provider, message_id, received_at, sealed, joins, part, echo, sender) VALUES "+
		store.Values(len(arrivals), columns)+" ON CONFLICT DO NOTHING RETURNING provider, message_id", values...) // #nosec G202 -- $1, $2, …
	if err != nil {
		return nil, fmt.Errorf("store messages: %w", err)
	}
	defer func() { _ = rows.Close() }() // read to the end, or the error tells
	stored := names{}
	for rows.Next() {
		var m message
		if err := rows.Scan(&m.provider, &m.id); err != nil {
			return nil, fmt.Errorf("store messages: %w", err)
		}
		stored[m.name()] = true
	}
	return stored, rows.Err()
}

// replyAll marks messages answered, does what they ask for and sends the answers,
// unless somebody did.
func (in *Inbound) replyAll(ctx context.Context, tx *store.Tx, replies []reply) ([]struct{}, error) {
	closed, err := in.closeAll(ctx, tx, replies)
	if err != nil {
		return nil, err
	}
	var answers []notify.Message
	var made []reply
	now := in.now()
	for i, r := range replies {
		if !closed[i] {
			continue
		}
		made = append(made, r)
		if r.do != nil {
			if err := r.do(ctx, tx, r.Phone); err != nil {
				return nil, err
			}
		}
		if r.text != "" {
			answers = append(answers, notify.Message{
				To: r.Phone, Text: r.text, Purpose: notify.Answer, ExpiresAt: now.Add(replyLifetime), Dedup: r.name(),
			})
		}
	}
	if err := in.outbox.SendAll(ctx, tx, answers); err != nil {
		return nil, err
	}
	return make([]struct{}, len(replies)), in.noteAll(ctx, tx, made)
}

// markAnswered marks a whole message answered, once.
const markAnswered = `UPDATE sms_inbound SET answered_at = $3, sealed = NULL, sender = ''
WHERE provider = $1 AND message_id = $2 AND answered_at IS NULL`

// closeAll marks messages, with all their parts, answered; a result is false for
// one that is.
func (in *Inbound) closeAll(ctx context.Context, tx *store.Tx, replies []reply) (closed []bool, err error) {
	closed = make([]bool, len(replies))
	var whole [][]any
	for i, r := range replies {
		if r.Parts > 0 {
			if closed[i], err = in.closeJoined(ctx, tx, r.message); err != nil {
				return nil, err
			}
			continue
		}
		whole = append(whole, []any{r.provider, r.id, dbtime.From(in.now())})
	}
	changed, err := tx.Each(ctx, markAnswered, whole)
	if err != nil {
		return nil, fmt.Errorf("mark messages answered: %w", err)
	}
	for i, r := range replies {
		if r.Parts == 0 {
			closed[i], changed = changed[0] > 0, changed[1:]
		}
	}
	return closed, nil
}

// closeJoined marks the parts of a message answered; false when they are.
func (in *Inbound) closeJoined(ctx context.Context, tx *store.Tx, m message) (bool, error) {
	rows, err := db.New(tx).AnswerJoined(ctx, db.AnswerJoinedParams{
		Provider: m.provider, Joins: in.joins(m), AnsweredAt: dbtime.From(in.now()),
	})
	return rows > 0, err
}

// names are those of messages, see message.name.
type names map[string]bool

// take reports whether a name is there, for the first who asks.
func (n names) take(name string) bool {
	found := n[name]
	delete(n, name)
	return found
}
