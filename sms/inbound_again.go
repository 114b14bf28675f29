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

// isAgain reports a message that another link brought already. The same words on
// the same link were typed twice.
func (in *Inbound) isAgain(ctx context.Context, tx *store.Tx, m message, at time.Time) (bool, error) {
	echo, rest, _ := strings.Cut(m.id, ":")
	link, _, _ := strings.Cut(rest, ":")
	ids, err := db.New(tx).Echoes(ctx, db.EchoesParams{
		Provider: m.provider, MessageID: echo + ":", MessageID_2: echo + ";", ReceivedAt: dbtime.From(at.Add(-againWithin)),
	})
	if err != nil {
		return false, fmt.Errorf("look for a message delivered before: %w", err)
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, echo+":"+link+":") {
			return true, nil
		}
	}
	return false, nil
}
