package identity

import (
	"context"
	"database/sql"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// signInSaid is what the log says of a sign-in, and of the one token that continues it.
type signInSaid struct{ row, refresh decision }

// signedIn takes a record of a sign-in. One that ends it says nothing of its tokens.
func (c *Check) signedIn(e audit.Recorded) {
	if !e.Compares() {
		c.older++
	}
	said := c.signIns[e.Object]
	c.follows(e, groupSignIn, said.row, "the sign-in %s", e.Object)
	c.follows(e, groupRefresh, said.refresh, "which refresh token of the sign-in %s is good", e.Object)
	said.row = decisionOf(e, groupSignIn)
	if d := decisionOf(e, groupRefresh); d.said.Known() || !said.row.said.Known() {
		said.refresh = d
	}
	c.signIns[e.Object] = said
}

// keyRows looks at what signs access tokens. A key that is gone takes away only.
func (c *Check) keyRows(ctx context.Context, tx *sql.Tx) error {
	rows, err := db.New(tx).Keys(ctx)
	for _, row := range rows {
		d, known := c.keys[row.Kid]
		switch {
		case !known && (row.Kid != legacyKID || row.Slot != 1): // which was made before there were records
			c.say("the audit log knows nothing of the key %s of tokens", row.Kid)
		case d.said.Known() && !c.log.Fits(d.said, d.object, keyOf(row)):
			c.say("the key %s of tokens is otherwise than the audit record %s says", row.Kid, d.said.Record())
		}
	}
	return err
}

// signInRows looks at what gives access: a sign-in that is gone takes it away only.
func (c *Check) signInRows(ctx context.Context, tx *sql.Tx) error {
	good, err := goodTokens(ctx, tx)
	if err != nil {
		return err
	}
	return store.Rows(ctx, tx, "SELECT id, phone_index, phone_sealed, label_sealed, generation, begun_at, used_at, expires_at, ended_at, ended_by "+
		"FROM identity_sign_ins", nil, func(rows *sql.Rows) error {
		var row db.IdentitySignIn
		err := rows.Scan(&row.ID, &row.PhoneIndex, &row.PhoneSealed, &row.LabelSealed, &row.Generation,
			&row.BegunAt, &row.UsedAt, &row.ExpiresAt, &row.EndedAt, &row.EndedBy)
		if err == nil {
			c.signIn(row, good[row.ID])
		}
		return err
	})
}

// goodTokens are the refresh tokens that were not used, by their sign-ins.
func goodTokens(ctx context.Context, tx *sql.Tx) (map[string][]string, error) {
	good := map[string][]string{}
	err := store.Rows(ctx, tx, "SELECT sign_in_id, token_mac FROM identity_refresh_tokens WHERE used_at IS NULL", nil, func(rows *sql.Rows) error {
		var id, mac string
		err := rows.Scan(&id, &mac)
		good[id] = append(good[id], mac)
		return err
	})
	for _, macs := range good {
		slices.Sort(macs)
	}
	return good, err
}

func (c *Check) signIn(row db.IdentitySignIn, good []string) {
	said, known := c.signIns[row.ID]
	if row.EndedBy == endedCut { // by what has a record of its own; the phone's generation keeps it so
		row.EndedAt, row.EndedBy = dbtime.Time{}, ""
	}
	switch {
	case !known:
		c.say("the audit log knows nothing of the sign-in %s", row.ID)
	case said.row.said.Known() && !c.log.Fits(said.row.said, row.ID, signInOf(row)):
		c.say("the sign-in %s is otherwise than the audit record %s says", row.ID, said.row.said.Record())
	case said.refresh.said.Known() && row.EndedAt.IsZero() && !c.log.Fits(said.refresh.said, row.ID, refreshOf(good...)):
		c.say("the refresh tokens of the sign-in %s are others than the audit record %s says", row.ID, said.refresh.said.Record())
	}
}
