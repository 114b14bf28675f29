package identity

import (
	"context"
	"database/sql"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// decision is what the last record that decided a row says of it.
type decision struct {
	said   audit.Said // not known: of before
	object string     // the record's
	group  string     // as which it says so
	seen   bool       // the row is there
}

// decisionOf reads what a record says of a group, which may have several names.
func decisionOf(e audit.Recorded, names ...string) decision {
	for group, said := range e.Says() {
		if slices.Contains(names, group) {
			return decision{said: said, object: e.Object, group: group}
		}
	}
	return decision{}
}

// fits reports that a row is what was decided, as records of now and of before say it.
func (c *Check) fits(d decision, now, before *audit.Group) bool {
	if d.group == before.Name() {
		now = before
	}
	return c.log.Fits(d.said, d.object, now)
}

// proved takes the record of a proof: it says which person the citizen is, and binds the
// phone. What a record from before says nothing of holds as it was said last.
func (c *Check) proved(e audit.Recorded) {
	if !e.Compares() {
		c.older++
	}
	c.introduced(e)
	phone := phoneOf(e.Actor)
	if c.bound[phone] == nil {
		c.bound[phone] = map[string]decision{}
	}
	c.follows(e, groupPhone, c.bound[phone][e.Subject], "how the phone %s is bound to the citizen %s", phone, e.Subject)
	c.bound[phone][e.Subject] = decisionOf(e, groupPhone, groupBinding)
}

// introduced takes a record that says which person a citizen is.
func (c *Check) introduced(e audit.Recorded) {
	before, d := c.people[e.Subject], decisionOf(e, groupPerson, groupCitizen)
	if before.group == groupPerson && d.group == groupPerson && !d.said.Same(before.said) {
		c.say("the citizen %s became another person between the audit records %s and %s", e.Subject, before.said.Record(), e.ID)
	}
	if d.said.Known() || !before.said.Known() {
		c.people[e.Subject] = d
	}
}

// changed takes a record that changes how a phone is bound. One whose number was
// released meanwhile is bound no more.
func (c *Check) changed(e audit.Recorded) {
	if !e.Compares() {
		c.older++
	}
	if _, bound := c.bound[e.Object][e.Subject]; bound {
		c.follows(e, groupPhone, c.bound[e.Object][e.Subject], "how the phone %s is bound to the citizen %s", e.Object, e.Subject)
		c.bound[e.Object][e.Subject] = decisionOf(e, groupPhone, groupBinding)
	}
}

// follows names what a step found otherwise than the record before says.
func (c *Check) follows(e audit.Recorded, group string, before decision, what string, of ...any) {
	if before.group == group && !e.Follows(group, before.said) {
		c.say(what+" was changed between the audit records %s and %s", append(of, before.said.Record(), e.ID)...)
	}
}

// blanketed takes a record of an undo that stands for any phone of the person: from it
// on none of them can be compared until its next record.
func (c *Check) blanketed(e audit.Recorded) {
	c.older++
	for _, citizens := range c.bound {
		if _, bound := citizens[e.Subject]; bound {
			citizens[e.Subject] = decision{}
		}
	}
}

// citizenRows looks at who is who: an index of another's number shows one person what
// is the other's.
func (c *Check) citizenRows(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT id, pin_index, pin_sealed, created_at FROM identity_citizens", nil, func(rows *sql.Rows) error {
		var row db.IdentityCitizen
		if err := rows.Scan(&row.ID, &row.PinIndex, &row.PinSealed, &row.CreatedAt); err != nil {
			return err
		}
		c.citizen(row)
		return nil
	})
	if err != nil {
		return err
	}
	for id, d := range c.people {
		if !d.seen {
			c.say("the citizen %s is gone: the audit log knows them", id)
		}
	}
	return nil
}

func (c *Check) citizen(row db.IdentityCitizen) {
	if _, err := numberOf(c.sealer, row); err != nil {
		c.say("%w", err)
	}
	d, known := c.people[row.ID]
	switch {
	case !known:
		c.say("the audit log knows nothing of the citizen %s", row.ID)
	case d.said.Known() && !c.fits(d, citizenOf(row), citizenAs(groupCitizen, row)):
		c.say("the citizen %s is another person than the audit record %s says", row.ID, d.said.Record())
	}
	d.seen = true
	c.people[row.ID] = d
}

// bindingRows looks at which phones are a person's, and which a dispute holds off.
func (c *Check) bindingRows(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT citizen_id, phone_index, phone_sealed, locale, document_mac, bound_at, blocked_until_at, cleared_at "+
		"FROM identity_bindings", nil, func(rows *sql.Rows) error {
		var row db.IdentityBinding
		err := rows.Scan(&row.CitizenID, &row.PhoneIndex, &row.PhoneSealed, &row.Locale, &row.DocumentMac, &row.BoundAt, &row.BlockedUntilAt, &row.ClearedAt)
		if err != nil {
			return err
		}
		c.binding(row)
		return nil
	})
	if err != nil {
		return err
	}
	for phone, citizens := range c.bound {
		for citizen, d := range citizens { // one from before may never have been bound
			if d.said.Known() && !d.seen {
				c.say("the phone %s is no more bound to the citizen %s: the audit record %s says that it is", phone, citizen, d.said.Record())
			}
		}
	}
	return nil
}

func (c *Check) binding(row db.IdentityBinding) {
	d, known := c.bound[row.PhoneIndex][row.CitizenID]
	switch {
	case !known:
		c.say("the phone %s is bound to the citizen %s, the audit log says that it is not", row.PhoneIndex, row.CitizenID)
		return
	case d.said.Known() && !c.fits(d, bindingOf(row), bindingAs(groupBinding, row)):
		c.say("the phone %s is bound to the citizen %s otherwise than the audit record %s says", row.PhoneIndex, row.CitizenID, d.said.Record())
	}
	d.seen = true
	c.bound[row.PhoneIndex][row.CitizenID] = d
}
