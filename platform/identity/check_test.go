package identity_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// M5 i, l: who holds which phone is what the audit log says, or it is named.
func TestM5PhonesAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		check := func() error {
			c := identity.NewCheck()
			return db.Snapshot(t.Context(), func(tx *sql.Tx) error {
				if _, err := w.audit.Replay(t.Context(), tx, c.See); err != nil {
					return err
				}
				return c.Run(t.Context(), tx)
			})
		}
		if err := check(); err != nil {
			t.Fatalf("untouched: %v", err)
		}
		w.pass(identity.ProofLasts / 2)
		if err := w.service.Release(t.Context(), aigul, "operator"); err != nil {
			t.Fatal(err)
		}
		if err := check(); err != nil {
			t.Fatalf("released: %v", err)
		}
		for _, c := range []struct{ table, do, named string }{
			{"identity_phones", "UPDATE identity_phones SET released_at = NULL, generation = 0", "was released at no time"},
			{"identity_phones", "UPDATE identity_phones SET generation = 0", "cut off 0 times, the audit log says 1"},
			{"identity_phones", "DELETE FROM identity_phones", "is gone"},
			{"identity_proofs", "UPDATE identity_proofs SET expires_at = expires_at + 1000000", "outlives the release"},
			{"identity_proofs", "UPDATE identity_proofs SET id = 'invented'", "nothing of the proof invented"},
			{"identity_proofs", "UPDATE identity_proofs SET phone_index = 'x'", "another phone's"},
			{"identity_proofs", "UPDATE identity_proofs SET proved_at = proved_at + 1", "the audit log says of"},
		} {
			run := func(statement string) {
				if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			run("CREATE TABLE kept AS SELECT * FROM " + c.table)
			run(c.do)
			if err := check(); err == nil || !strings.Contains(err.Error(), c.named) {
				t.Errorf("%s: %v", c.do, err)
			}
			run("DELETE FROM " + c.table)
			run("INSERT INTO " + c.table + " SELECT * FROM kept")
			run("DROP TABLE kept")
		}
		if err := check(); err != nil {
			t.Errorf("restored: %v", err)
		}
	})
}
