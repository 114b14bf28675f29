package identity

import (
	"context"
	"strconv"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// leaveSecret leaves the trail of what was done to a person's secret on the caller's phone, and has
// the phones on which they are surely known hear of it by the text key: that phone too, which
// somebody else may hold, or have typed on.
func (s *Service) leaveSecret(ctx context.Context, tx *store.Tx, c caller.Caller, citizen Citizen, key string, entry audit.Entry) error {
	phones, err := s.PhonesToTell(ctx, tx, citizen.ID, c.Now)
	if err != nil {
		return err
	}
	step := trail.Step{Audit: entry}
	for _, phone := range phones {
		m, err := s.ofSecret(ctx, db.New(tx), c, citizen, phone, key)
		if err != nil {
			return err
		}
		step.Messages = append(step.Messages, m)
	}
	return s.Trail.Leave(ctx, tx, step)
}

// ofSecret is what one phone of a person is told of their secret; one that several share hears
// whose it is.
func (s *Service) ofSecret(ctx context.Context, q *db.Queries, c caller.Caller, citizen Citizen, told Reachable, key string) (notify.Message, error) {
	shared, err := s.isShared(ctx, q, s.phoneIndex(told.Phone))
	if err != nil {
		return notify.Message{}, err
	}
	text, args := key, []any{"tail", caller.Tail(c.Phone)}
	if shared && citizen.Called != "" {
		text, args = key+"_of", append(args, "called", citizen.Called)
	}
	return notify.Message{
		To: told.Phone, Locale: told.Locale, Purpose: notify.Receipt, ExpiresAt: c.Now.Add(UndoLasts),
		Dedup: key + ":" + citizen.ID + ":" + s.phoneIndex(c.Phone) + ":" + s.phoneIndex(told.Phone) + ":" + strconv.FormatInt(c.Now.UnixMicro(), 10),
		Text:  gsm.Pick(s.Texts.Message(told.Locale, text, args...)),
	}, nil
}
