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

// Export implements personal.Holder: the certificates that the person asked for, and those
// about them that a parent did.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	asked, err := db.New(tx).AllOfCitizen(ctx, db.AllOfCitizenParams{CitizenID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's certificates: %w", err)
	}
	about, err := db.New(tx).AllOfHolder(ctx, db.AllOfHolderParams{HolderID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list the certificates about a person: %w", err)
	}
	for _, row := range append(asked, about...) {
		in, err := h.s.openIntent(row)
		if err != nil {
			return nil, err
		}
		list = append(list, record(row, in, p.ID))
	}
	return list, nil
}

// record is a certificate as a person is given it. Of a family it gives the number only, of a
// child and of who gave a mandate what they are called: the others' names and days of birth are theirs.
func record(row db.Certificate, in intent, person string) personal.Record {
	fields := []personal.Field{
		personal.Text("number", ShowNumber(row.Number)), personal.Word("kind", Kind(row.Kind).Public(), Kind(row.Kind).TitleKey()),
		personal.Word("state", row.State, "kept.state."+row.State),
	}
	if ofAnother(row) && row.HolderID != person {
		fields = append(fields, personal.Text(underOf(row), in.Child))
	} else {
		members := ""
		if n := len(in.Record.Members); n > 0 {
			members = strconv.Itoa(n)
		}
		fields = append(fields, personal.Text("name", in.Record.Holder.Name), personal.Text("born", in.Record.Holder.Born),
			personal.Text("address", in.Record.Address), personal.Text("members", members), personal.Text("content", content(in.Record)))
	}
	return personal.Record{Kind: "certificate", Fields: append(fields,
		personal.Moment("asked", row.RequestedAt.Time), personal.Moment("issued", row.IssuedAt.Time), personal.Moment("revoked", row.RevokedAt.Time),
	)}
}

// content is what a certificate says beside a family and an address, as it was signed.
func content(r Record) string {
	parts := []string{joined(", ", r.Facts...)}
	for _, row := range r.Rows {
		parts = append(parts, joined(", ", row...))
	}
	return joined("; ", parts...)
}

// Keeps implements personal.Holder: whoever holds a certificate may verify it, and is told
// of one that was revoked.
func (h holder) Keeps(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Kept, error) {
	rows, err := db.New(tx).AllOfCitizen(ctx, db.AllOfCitizenParams{CitizenID: p.ID, Limit: 1})
	if err == nil && len(rows) == 0 {
		rows, err = db.New(tx).AllOfHolder(ctx, db.AllOfHolderParams{HolderID: p.ID, Limit: 1})
	}
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return []personal.Kept{{Key: "kept.why_certificates"}}, nil
}

// Erase implements personal.Holder: from which phone, how and from what address each was
// asked for. What was signed stays; and what a parent asked for a child is the parent's.
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
	if err := db.New(tx).DropShares(ctx, row.ID); err != nil {
		return fmt.Errorf("erase the codes of a certificate: %w", err)
	}
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
