package certificate_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// M5: a certificate's state is what the audit log says, or it is named.
func TestM5StatesAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		revoked := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t1"), certificate.Residential))
		officer := caller.Caller{Subject: "officer", Now: noon.Add(time.Hour)}
		if err := h.Revoke(t.Context(), officer, revoked.Number, "an error"); err != nil {
			t.Fatal(err)
		}
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t2"), certificate.Family))
		check := func() error {
			c := certificate.NewCheck()
			return db.Snapshot(t.Context(), func(tx *sql.Tx) error {
				if _, err := h.audit.Replay(t.Context(), tx, c.See); err != nil {
					return err
				}
				return c.Run(t.Context(), tx)
			})
		}
		if err := check(); err != nil {
			t.Fatalf("untouched: %v", err)
		}
		for _, c := range []struct{ do, undo, number string }{
			{"state = 'issued', revoked_at = NULL", "state = 'revoked'", revoked.Number},
			{"state = 'revoked'", "state = 'issued'", issued.Number},
			{"citizen_id = 'x' || citizen_id", "citizen_id = SUBSTR(citizen_id, 2)", issued.Number}, // M5 e
			{"state = 'requested'", "state = 'issued'", issued.Number},
		} {
			change := func(set string) {
				if _, err := db.Writer().ExecContext(t.Context(), "UPDATE certificates SET "+set+" WHERE number = $1", c.number); err != nil {
					t.Fatal(err)
				}
			}
			change(c.do)
			if err := check(); err == nil || !strings.Contains(err.Error(), c.number) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%s: %v", c.do, err)
			}
			change(c.undo)
		}
		if _, err := db.Writer().ExecContext(t.Context(), "DELETE FROM certificates"); err != nil {
			t.Fatal(err)
		}
		if err := check(); err == nil || strings.Count(err.Error(), "is gone") != 2 {
			t.Errorf("deleted: %v", err)
		}
	})
}
