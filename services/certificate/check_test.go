package certificate_test

import (
	"database/sql"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// M5: a certificate's state is what the audit log says, or it is named.
func TestM5StatesAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		revoked := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t1"), certificate.Residential))
		officer := caller.Caller{Subject: "officer", Now: noon.Add(time.Hour)}
		if err := h.Revoke(t.Context(), staff.Act{Actor: "officer", Reason: "an error"}, officer, revoked.Number); err != nil {
			t.Fatal(err)
		}
		at := strconv.FormatInt(officer.Now.UnixMicro(), 10)
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t2"), certificate.Family))
		check := func() error { return db.Snapshot(t.Context(), h.look) }
		if err := check(); err != nil {
			t.Fatalf("untouched: %v", err)
		}
		for _, c := range []struct{ do, undo, number string }{
			{"state = 'issued', revoked_at = NULL", "state = 'revoked', revoked_at = " + at, revoked.Number},
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

// look compares the certificates with the log in a transaction.
func (h *world) look(tx *sql.Tx) error {
	_, err := h.Compare(tx, certificate.NewCheck(h.Audit, h.Sealer))
	return err
}

// TestPlantedChanges: whoever changes a certificate is found, and the row, the group of
// its fields and the audit record are named.
func TestPlantedChanges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t1"), certificate.Residential))
		other := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t2"), certificate.Family))
		officer := caller.Caller{Subject: "officer", Now: noon.Add(time.Hour)}
		if err := h.Revoke(t.Context(), staff.Act{Actor: "officer", Reason: "an error"}, officer, other.Number); err != nil {
			t.Fatal(err)
		}
		h.signer.fails = true
		again := aigul("t3")
		again.Channel = caller.REST
		if _, err := h.Request(t.Context(), again, certificate.Residential); err == nil {
			t.Fatal("it was signed")
		}
		h.signer.fails = false
		id := func(number string) (id string) {
			if err := db.Reader().QueryRow("SELECT id FROM certificates WHERE number = $1", number).Scan(&id); err != nil {
				t.Fatal(err)
			}
			return id
		}
		var requested string
		if err := db.Reader().QueryRow("SELECT id FROM certificates WHERE state = 'requested'").Scan(&requested); err != nil {
			t.Fatal(err)
		}
		var all []storetest.Plant
		plant := func(id, group, set string) {
			all = append(all, storetest.Plant{
				Name: set, Statements: []string{"UPDATE certificates SET " + set + " WHERE id = '" + id + "'"},
				Named: []string{id, " in its " + group + " what the audit record "},
			})
		}
		for _, at := range []string{id(issued.Number), id(other.Number), requested} {
			plant(at, "certificate", "number = 'K00000000XX'") // g
			plant(at, "certificate", "request_key = request_key || 'x'")
			plant(at, "certificate", "kind = CASE WHEN kind = 'family' THEN 'residence' ELSE 'family' END")
			plant(at, "certificate", "requested_at = requested_at + 1")
			plant(at, "certificate", "issued_at = COALESCE(issued_at, 0) + 1")
			plant(at, "document", "intent_sealed = (SELECT o.intent_sealed FROM certificates o WHERE o.id <> '"+at+"' ORDER BY o.id LIMIT 1)")
			plant(at, "document", "signed_sealed = (SELECT o.signed_sealed FROM certificates o WHERE o.id <> '"+at+"' ORDER BY o.id LIMIT 1)")
		}
		plant(requested, "certificate", "citizen_id = 'x'")
		plant(id(other.Number), "revocation", "revoked_at = revoked_at - 1")
		for _, signed := range []string{issued.Number, other.Number} {
			set := "status_index = (status_index + 1) % 1048576"
			all = append(all, storetest.Plant{
				Name: set, Statements: []string{"UPDATE certificates SET " + set + " WHERE number = '" + signed + "'"},
				Named: []string{signed, "another place in the status lists than was signed"},
			})
		}
		storetest.Covered(t, db, []string{"certificates"}, all, map[string]string{
			"certificates.holder_id":  "see TestPlantedHolders",
			"certificates.holder_ref": "see TestPlantedHolders",
			"certificates.id":         "the row's name: renamed, it is gone and another is unknown",
			"certificates.state":      "what the records themselves are: see TestM5StatesAreTheLogs",
		})
		all = append(all, storetest.Plant{
			Name: "the key is gone", Statements: []string{"DELETE FROM sign_keys"}, Named: []string{"the signing key ", "the 2 certificates that it signed"},
		})
		storetest.Planted(t, db, all, h.look)
	})
}

// TestRecordsFromBefore: what older records do not say is counted, and no fault.
func TestRecordsFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.Service.Trail = h.TrailBy(testworld.Forgetful{Log: h.Audit})
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), aigul("t1"), certificate.Residential))
		h.Service.Trail = h.TrailBy(h.Audit)
		if err := h.Revoke(t.Context(), staff.Act{Actor: "officer", Reason: "an error"}, caller.Caller{Subject: "officer", Now: noon}, issued.Number); err != nil {
			t.Fatal(err)
		}
		older := 0
		err := db.Snapshot(t.Context(), func(tx *sql.Tx) (err error) {
			older, err = h.Compare(tx, certificate.NewCheck(h.Audit, h.Sealer))
			return err
		})
		if err != nil || older != 2 {
			t.Errorf("%d records cannot be compared; %v", older, err)
		}
	})
}
