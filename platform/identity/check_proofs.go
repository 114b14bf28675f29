package identity

import (
	"context"
	"database/sql"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// proofSaid is what the log says of a proof.
type proofSaid struct {
	phone, citizen string
	at, used       time.Time
	level          caller.Level
	made           audit.Said // in which session and for how long; not known: of before
	n              int        // its record's place in the log
}

// ending is what the end of proofs is of: a phone's index and a person; "": all of the phone's.
type ending struct{ phone, citizen string }

// proofEnd is when proofs ended last, and the record's place in the log: a proof that was
// made after it may say that it was made in the same moment.
type proofEnd struct {
	at time.Time
	n  int
}

// ended takes a record of what ends proofs before their time. Whoever puts such an end back
// is somebody again of whom the phone was to know nothing more.
func (c *Check) ended(e audit.Recorded) {
	var of ending
	switch e.Action {
	case "identity.forget.done", "identity.release":
		of = ending{phone: e.Object}
	case "identity.sign_out.done", "identity.sign_in.replaced", "identity.refresh.reused":
		of = ending{phone: e.Subject}
	case "identity.undo.done":
		of = ending{phone: e.Object, citizen: e.Subject}
	default:
		return
	}
	c.ends[of] = proofEnd{at: e.At, n: c.n}
}

// proofRow is a proof as it is kept.
type proofRow struct {
	id, phone, citizen, session string
	proved, expires, used       dbtime.Time
	level                       caller.Level
}

// proofRows looks at what gives access: a proof that is gone takes it away only.
func (c *Check) proofRows(ctx context.Context, tx *sql.Tx) error {
	return store.Rows(ctx, tx, "SELECT id, phone_index, citizen_id, proved_at, expires_at, level, session, used_at FROM identity_proofs", nil, func(rows *sql.Rows) error {
		var p proofRow
		err := rows.Scan(&p.id, &p.phone, &p.citizen, &p.proved, &p.expires, &p.level, &p.session, &p.used)
		if err == nil {
			c.proof(p)
		}
		return err
	})
}

func (c *Check) proof(p proofRow) {
	want, said := c.proofs[p.id]
	lasts, made := c.lasts(p, want)
	switch {
	case !said:
		c.say("the audit log knows nothing of the proof %s", p.id)
	case want.phone != "phone:"+p.phone || want.citizen != p.citizen:
		c.say("the proof %s is another phone's or citizen's than the audit log says", p.id)
	case !made:
		c.say("the proof %s was made in another session, or for another time, than the audit record %s says", p.id, want.made.Record())
	case !p.proved.Equal(dbtime.From(want.at).Time) || p.expires.After(p.proved.Add(lasts)):
		c.say("the proof %s is of %s until %s, the audit log says of %s", p.id, moment(p.proved.Time), moment(p.expires.Time), moment(want.at))
	case p.level != want.level:
		c.say("the proof %s is of the level %d, the audit log says of %d", p.id, p.level, want.level)
	case !p.used.Equal(dbtime.From(want.used).Time):
		c.say("the proof %s was last used at %s, the audit log says at %s", p.id, moment(p.used.Time), moment(want.used))
	case c.outlives(p, want, ""), want.made.Known() && c.outlives(p, want, p.citizen):
		c.say("the proof %s outlives what ended it", p.id)
	}
}

// lasts is for how long a proof was made; not ok where no time fits its record.
func (c *Check) lasts(p proofRow, want proofSaid) (time.Duration, bool) {
	for _, lasts := range []time.Duration{ProofLasts, NationalProves} {
		if !want.made.Known() || c.log.Fits(want.made, p.id, proofOf(p.id, p.session, lasts)) {
			return lasts, true
		}
	}
	return 0, false
}

// outlives reports a proof that is good after the record of its end.
func (c *Check) outlives(p proofRow, want proofSaid, citizen string) bool {
	end, ended := c.ends[ending{phone: p.phone, citizen: citizen}]
	return ended && end.n > want.n && p.expires.After(dbtime.From(end.at).Time)
}
