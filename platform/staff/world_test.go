package staff

import (
	"crypto/rand"
	"database/sql"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// world is a service and the credentials of its accounts.
type world struct {
	*testworld.World
	*Service
	t    *testing.T
	keys map[string]Credentials
}

const terminal = "terminal of the officer"

// house are the accounts that a world may have: two of them are one person's.
var house = map[string]Profile{
	"root": {Login: "root", Person: "7", Role: Administrator}, "asel": {Login: "asel", Person: "11", Role: Operator},
	"asel-too": {Login: "asel-too", Person: "11", Role: Operator}, "bolot": {Login: "bolot", Person: "12", Role: Operator},
	"vera": {Login: "vera", Person: "13", Role: Inspector}, "dinara": {Login: "dinara", Person: "14", Role: Clerk, Office: "centre/bishkek"},
	"k001": {Login: "k001", Person: "15", Role: Clerk, Office: "kindergarten/K001"},
}

// newWorld makes a service with some accounts of the house.
func newWorld(t *testing.T, db *store.DB, logins ...string) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), t: t, keys: map[string]Credentials{}}
	var err error
	w.Service, err = New(Deps{DB: db, Sealer: w.World.Sealer, Trail: w.World.Trail, Now: w.World.Now, Random: rand.Reader, Invented: func(o Officer) bool { return o.Person == "S-1" }})
	w.OK(err)
	for _, name := range logins {
		w.make(house[name])
	}
	return w
}

// make makes an account with credentials that the test knows.
func (w *world) make(p Profile) {
	w.t.Helper()
	keys, err := w.NewCredentials(p.Login)
	w.OK(err)
	w.keys[p.Login] = keys
	w.OK(w.Ensure(w.t.Context(), p, keys))
}

// code is what an account's app shows at a moment.
func (w *world) code(login string, at time.Time) string {
	w.t.Helper()
	code, err := totp.GenerateCode(w.keys[login].Secret, at)
	w.OK(err)
	return code
}

// signIn signs an account in with its next code.
func (w *world) signIn(login string) (token string, o Officer) {
	w.t.Helper()
	w.Pass(totpPeriod)
	token, o, err := w.SignIn(w.t.Context(), terminal, login, w.keys[login].Password, w.code(login, w.World.Now()))
	w.OK(err)
	return token, o
}

// recorded counts the audit records of an action.
func (w *world) recorded(action string) int {
	w.t.Helper()
	return w.Number("SELECT COUNT(*) FROM audit_records WHERE action = $1", action)
}

// compare is what fsck says of the accounts, beside the audit log.
func (w *world) compare() error {
	w.t.Helper()
	c := NewCompare(w.World.Audit, w.World.Sealer)
	return w.Service.DB.Snapshot(w.t.Context(), func(tx *sql.Tx) error {
		if _, err := w.World.Audit.Replay(w.t.Context(), tx, c.See); err != nil {
			return err
		}
		return c.Run(w.t.Context(), tx)
	})
}
