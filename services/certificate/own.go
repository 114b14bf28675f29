package certificate

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// holder is what certificates keep of a person.
type holder struct{ s *Service }

// Export implements personal.Holder. Of a family it gives the number only: the others' names
// and days of birth are theirs.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	rows, err := db.New(tx).AllOfCitizen(ctx, db.AllOfCitizenParams{CitizenID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's certificates: %w", err)
	}
	for _, row := range rows {
		in, err := h.s.openIntent(row)
		if err != nil {
			return nil, err
		}
		members := ""
		if n := len(in.Record.Members); n > 0 {
			members = strconv.Itoa(n)
		}
		list = append(list, personal.Record{Kind: "certificate", Fields: []personal.Field{
			personal.Text("number", ShowNumber(row.Number)), personal.Word("kind", Kind(row.Kind).Public(), Kind(row.Kind).TitleKey()),
			personal.Word("state", row.State, "kept.state."+row.State), personal.Text("name", in.Record.Holder.Name),
			personal.Text("born", in.Record.Holder.Born), personal.Text("address", in.Record.Address), personal.Text("members", members),
			personal.Moment("asked", row.RequestedAt.Time), personal.Moment("issued", row.IssuedAt.Time), personal.Moment("revoked", row.RevokedAt.Time),
		}})
	}
	return list, nil
}

// Keeps implements personal.Holder: whoever holds a certificate may verify it, and is told
// of one that was revoked.
func (h holder) Keeps(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Kept, error) {
	rows, err := db.New(tx).AllOfCitizen(ctx, db.AllOfCitizenParams{CitizenID: p.ID, Limit: 1})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return []personal.Kept{{Key: "kept.why_certificates"}}, nil
}

// Erase implements personal.Holder: from which phone, how and from what address each was
// asked for. What was signed stays.
func (h holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	rows, err := db.New(tx).AllOfCitizen(ctx, db.AllOfCitizenParams{CitizenID: p.ID, Limit: math.MaxInt32})
	if err != nil {
		return fmt.Errorf("list a person's certificates: %w", err)
	}
	for _, row := range rows {
		if State(row.State) == Requested {
			return personal.ErrNotYet
		}
		if err := h.forget(ctx, tx, row, p); err != nil {
			return err
		}
	}
	return nil
}

// forget erases who asked for a certificate by what.
func (h holder) forget(ctx context.Context, tx *store.Tx, row db.Certificate, p personal.Person) error {
	in, err := h.s.openIntent(row)
	if err != nil {
		return err
	}
	in.Caller = keptCaller{Locale: in.Caller.Locale}
	if row.IntentSealed, err = h.s.sealIntent(row.ID, in); err != nil {
		return err
	}
	if err := db.New(tx).Reseal(ctx, db.ResealParams{ID: row.ID, IntentSealed: row.IntentSealed}); err != nil {
		return fmt.Errorf("erase who asked for a certificate: %w", err)
	}
	return h.s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: p.Now, Actor: "system", Action: "certificate.erase", Object: row.ID, Subject: row.CitizenID, Purpose: "the person asked for it",
		Decided: []*audit.Group{documentGroup(row)},
	}})
}
