package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

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

// keep stores a message; fresh is false when it is known already.
func (in *Inbound) keep(ctx context.Context, m message, unnumbered bool) (fresh bool, err error) {
	plain, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("write a message: %w", err)
	}
	a := arrival{message: m}
	if a.sealed, err = in.sealer.Seal(plain, sealContext(m.provider, m.id)); err != nil {
		return false, fmt.Errorf("seal a message: %w", err)
	}
	if unnumbered {
		a.echo = in.echo(m)
	}
	if fresh, err = in.kept.Do(ctx, a); err != nil {
		return false, fmt.Errorf("store a message: %w", err)
	}
	return fresh, nil
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

// againWithin is how soon a message that was taken and not acknowledged, because
// its link broke, is delivered again.
const againWithin = 5 * time.Minute

// echoSize is enough of a digest to tell the messages of five minutes apart.
const echoSize = 20

// echo is what a message has in common with the same one delivered again, and
// with no other of its time: who says what, and where in a longer text.
func (in *Inbound) echo(m message) string {
	all := in.sealer.Index("sms_inbound.echo", fmt.Sprintf("%s %s %d %d %d %s", m.provider, m.Phone, m.Ref, m.Part, m.Parts, m.Text))
	return all[:echoSize]
}

// isAgain reports a message that another link brought already, and whose centre
// was not told that it is taken. The same words on the same link were typed twice.
func (in *Inbound) isAgain(ctx context.Context, tx *store.Tx, a arrival) (bool, error) {
	link, _, _ := strings.Cut(a.id, ":")
	ids, err := db.New(tx).Echoes(ctx, db.EchoesParams{
		Provider: a.provider, Echo: a.echo, ReceivedAt: dbtime.From(a.at.Add(-againWithin)),
	})
	if err != nil {
		return false, fmt.Errorf("look for a message delivered before: %w", err)
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, link+":") {
			return true, in.acknowledge(ctx, tx, a.provider, id) // by the response to this one
		}
	}
	return false, nil
}

// Acknowledged notes that the provider of an unnumbered message was told that it is
// taken: the same words on another link are then a message of their own.
func (in *Inbound) Acknowledged(ctx context.Context, provider, id string) error {
	return in.db.InTx(ctx, func(tx *store.Tx) error { return in.acknowledge(ctx, tx, provider, id) })
}

func (in *Inbound) acknowledge(ctx context.Context, tx *store.Tx, provider, id string) error {
	err := db.New(tx).Acknowledge(ctx, db.AcknowledgeParams{Provider: provider, MessageID: id, AcknowledgedAt: dbtime.From(in.now())})
	if err != nil {
		return fmt.Errorf("note that a message is acknowledged: %w", err)
	}
	return nil
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

// sealContext binds a sealed message to its row.
func sealContext(provider, id string) string { return "sms_inbound.sealed " + provider + " " + id }
