package certificate

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// Revoke takes a certificate back: from now on its number answers "revoked".
// One that is revoked already stays as it is.
func (s *Service) Revoke(ctx context.Context, act staff.Act, c caller.Caller, typed string) error {
	number, ok := ParseNumber(typed)
	if !ok {
		return errNumber
	}
	row, _, err := s.issued(ctx, number)
	if err != nil {
		return err
	}
	row.RevokedAt = dbtime.From(c.Now)
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		phones, err := s.Identity.PhonesToTell(ctx, tx, row.CitizenID, c.Now) // before the certificate's row: so do the holder's own steps
		if err != nil {
			return fmt.Errorf("look who holds a certificate: %w", err)
		}
		marked, err := db.New(tx).MarkRevoked(ctx, db.MarkRevokedParams{Number: number, RevokedAt: row.RevokedAt})
		if err != nil {
			return fmt.Errorf("revoke a certificate: %w", err)
		}
		if marked == 0 {
			return nil // revoked already
		}
		return s.leave(ctx, tx, row, "revoke", trail.Step{
			Audit: audit.Entry{
				At: c.Now, Actor: act.Actor, Action: "certificate.revoke", Object: row.ID, Subject: row.CitizenID, Purpose: act.Reason,
				Decided: []*audit.Group{revocationGroup(row)},
			},
			Event: analytics.Of(c, name, "revoke_"+row.Kind, "done"), Messages: s.tellRevoked(row, phones, c.Now),
		})
	})
}

// revokedLife is how long a message is worth sending that a certificate is no more good.
const revokedLife = 7 * 24 * time.Hour

// tellRevoked are the messages to the holder's phones: who shows a paper that is good no
// more should not hear of it from the one who looks at it.
func (s *Service) tellRevoked(row db.Certificate, phones []identity.Reachable, now time.Time) []notify.Message {
	return s.toHolder(row, phones, notify.Message{Dedup: "certificate.revoked:" + row.ID, ExpiresAt: now.Add(revokedLife)},
		func(loc locales.Locale) (full, short string) {
			return s.Texts.Message(loc, "certificate.revoked_sms", "number", ShowNumber(row.Number))
		})
}

// toHolder makes of a message one to each phone of a certificate's holder, in its language.
func (s *Service) toHolder(row db.Certificate, phones []identity.Reachable, m notify.Message, text func(locales.Locale) (full, short string)) (list []notify.Message) {
	for _, p := range phones {
		one := m
		one.To, one.Locale, one.Purpose, one.About = p.Phone, p.Locale, notify.Receipt, row.CitizenID
		one.Dedup += ":" + s.Sealer.Index("certificate.text", p.Phone)
		one.Text = gsm.Pick(text(p.Locale))
		list = append(list, one)
	}
	return list
}
