package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Check compares with the audit log who is who and whose phone is whose: every proof was
// recorded, a pseudonym stays one person's, what binds a phone to a person and what a
// dispute holds off is what was decided, a number's release to another holder stays, and so
// does the end of a sign-in or of a key of tokens.
type Check struct {
	log     *audit.Log
	sealer  *seal.Sealer
	people  map[string]decision            // by the citizen
	bound   map[string]map[string]decision // by the phone's index and the citizen
	keys    map[string]decision            // by the key's id
	signIns map[string]signInSaid          // by the sign-in's id
	secrets map[string]map[string]decision // by the phone's index and the citizen
	older   int
	proofs  map[string]proofSaid // by the proof's id
	ends    map[ending]proofEnd
	n       int // of records seen
	phones  map[string]*phoneSaid
	blanket []blanketUndo
	found   []error
	more    int
}

// phoneSaid is what the log says of a phone.
type phoneSaid struct {
	released   time.Time // the last time
	generation int64     // how often its tokens were cut off
	perhaps    int64     // how often besides, for all that the log tells
	cleared    bool      // an operator once said whose it is
	seen       bool
}

// blanketUndo is a record from before each phone that an undo cut off had its own: it
// names one of them, and the person.
type blanketUndo struct{ phone, citizen string }

// faultsNamed is how many differences are named.
const faultsNamed = 100

// NewCheck makes a Check against a log, with what personal numbers are sealed by. Give it
// the log's records by See before Run.
func NewCheck(log *audit.Log, sealer *seal.Sealer) *Check {
	return &Check{
		log: log, sealer: sealer, people: map[string]decision{}, bound: map[string]map[string]decision{},
		keys: map[string]decision{}, signIns: map[string]signInSaid{}, secrets: map[string]map[string]decision{},
		proofs: map[string]proofSaid{}, ends: map[ending]proofEnd{}, phones: map[string]*phoneSaid{},
	}
}

// See takes a record of the audit log.
func (c *Check) See(e audit.Recorded) {
	c.n++
	c.ended(e)
	switch e.Action {
	case "identity.proof.done":
		c.proofs[e.Object] = proofSaid{phone: e.Actor, citizen: e.Subject, at: e.At, used: e.At, level: caller.LevelWeak, made: decisionOf(e, groupProof).said, n: c.n}
		c.proved(e)
	case "identity.proof.used":
		p := c.proofs[e.Object]
		p.used = e.At
		c.proofs[e.Object] = p
	case "identity.enrol.made", "identity.named":
		c.introduced(e)
	case "identity.secret.set":
		c.secretSet(e)
	case "identity.strong.done", "identity.national.done", "identity.enrol.done", "identity.secret.done":
		p := c.proofs[e.Object]
		p.level = caller.LevelStrong
		c.proofs[e.Object] = p
	case "identity.release":
		p := c.phone(e.Object)
		p.generation++
		if e.At.After(p.released) {
			p.released = e.At
		}
		delete(c.bound, e.Object)
		delete(c.secrets, e.Object)
	case "identity.key.made", "identity.key.revoked":
		c.keys[e.Object] = decisionOf(e, groupKey)
	case "identity.sign_in.done", "identity.sign_in.replaced", "identity.refresh.done", "identity.refresh.reused", "identity.sign_out.done":
		c.signedIn(e)
	case "identity.erase":
		c.erased(e)
	case "identity.unblock":
		c.phone(e.Object).cleared = true
		c.changed(e)
	case "identity.secret.removed":
		delete(c.secrets[e.Object], e.Subject)
	case "identity.undo.done":
		delete(c.secrets[e.Object], e.Subject)
		if e.Compares() {
			c.phone(e.Object).generation++
			c.changed(e)
		} else {
			c.blanketed(e)
			c.blanket = append(c.blanket, blanketUndo{phone: e.Object, citizen: e.Subject})
		}
	}
}

// unblanket counts what the blanket records may have cut off: the phone that each names,
// unless an operator cleared it, and perhaps any other that was proved for the person.
func (c *Check) unblanket() {
	if len(c.blanket) == 0 {
		return
	}
	phones := map[string]map[string]bool{} // by the citizen
	for _, p := range c.proofs {
		if phones[p.citizen] == nil {
			phones[p.citizen] = map[string]bool{}
		}
		phones[p.citizen][phoneOf(p.phone)] = true
	}
	for _, u := range c.blanket {
		named := c.phone(u.phone)
		if !named.cleared {
			named.generation++
		}
		for index := range phones[u.citizen] {
			if index != u.phone || named.cleared {
				c.phone(index).perhaps++
			}
		}
	}
}

// Older is how many of the records seen are from before what they decided was kept.
func (c *Check) Older() int { return c.older }

func (c *Check) phone(index string) *phoneSaid {
	if c.phones[index] == nil {
		c.phones[index] = &phoneSaid{}
	}
	return c.phones[index]
}

// Run reads phones and proofs within a snapshot and returns an error that names each
// one that is not what the log says: a phone by its blind index.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	c.unblanket()
	if err := errors.Join(c.phoneRows(ctx, tx), c.proofRows(ctx, tx), c.citizenRows(ctx, tx), c.bindingRows(ctx, tx),
		c.keyRows(ctx, tx), c.signInRows(ctx, tx), c.secretRows(ctx, tx), c.shortRows(ctx, tx)); err != nil {
		return fmt.Errorf("check the identities: %w", err)
	}
	if c.more > 0 {
		c.found = append(c.found, fmt.Errorf("and %d more", c.more))
	}
	return errors.Join(c.found...)
}

func (c *Check) say(format string, args ...any) {
	if len(c.found) >= faultsNamed {
		c.more++
		return
	}
	c.found = append(c.found, fmt.Errorf(format, args...))
}

func (c *Check) phoneRows(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT phone_index, generation, released_at FROM identity_phones")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var index string
		var generation int64
		var released dbtime.Time
		if err := rows.Scan(&index, &generation, &released); err != nil {
			return err
		}
		want := phoneSaid{}
		if p := c.phones[index]; p != nil {
			want, p.seen = *p, true
		}
		if !released.Equal(dbtime.From(want.released).Time) {
			c.say("the phone %s was released at %s, the audit log says %s", index, moment(released.Time), moment(want.released))
		}
		if generation < want.generation || generation > want.generation+want.perhaps {
			c.say("the tokens of the phone %s were cut off %d times, the audit log says %d", index, generation, want.generation)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for index, p := range c.phones {
		if !p.seen && p.generation > 0 {
			c.say("the phone %s is gone: the audit log says that its tokens were cut off", index)
		}
	}
	return nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// phoneOf is the index of the phone that is an actor.
func phoneOf(actor string) string { return strings.TrimPrefix(actor, "phone:") }
