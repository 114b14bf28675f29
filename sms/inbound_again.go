package sms

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

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
