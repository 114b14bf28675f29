package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// M5: what is changed in the database so that every sum still fits is found all the
// same, and the row is named.
func TestM5FsckNamesWhatWasChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		ids := make([]string, 0, 2)
		for i, ref := range []string{"7900000000003", "7900000000001"} {
			id, code := d.quoted([]string{elena, bakyt}[i], ref)
			if p := d.wallet(code); p.Result != 0 {
				t.Fatalf("pay: %+v", p)
			}
			if state := d.finished([]string{elena, bakyt}[i], id); state != "settled" {
				t.Fatalf("paid: %s", state)
			}
			ids = append(ids, id)
		}
		c, _ := d.dial(aigul)
		c.say("Эшик", "1")
		certificate, _ := issueOverREST(d)
		registration := registerOverUSSD(d)
		d.fsck()
		storetest.Lift(t, d.sql(), d.sql().Writer())
		postings := func(id string, by int) string {
			return fmt.Sprintf("UPDATE ledger_postings SET amount = amount + (CASE WHEN amount > 0 THEN %d ELSE %d END) "+
				"WHERE entry_id IN (SELECT id FROM ledger_entries WHERE payment_id = '%s' AND kind = 'settle')", by, -by, id)
		}
		entries := func(id string) string {
			return "entry_id IN (SELECT id FROM ledger_entries WHERE payment_id = '" + id + "')"
		}
		var partner string
		if err := d.sql().Reader().QueryRowContext(t.Context(), "SELECT partner_id FROM payment_txns WHERE payment_id = '"+ids[0]+"'").Scan(&partner); err != nil {
			t.Fatal(err)
		}
		of, child := "WHERE payment_id = '"+ids[0]+"'", " WHERE number = '"+registration+"'"
		sums := func(by int) (changes []string) {
			for table, where := range map[string]string{"payments": "WHERE id = '" + ids[0] + "'", "payment_lines": of, "payment_txns": of} {
				changes = append(changes, fmt.Sprintf("UPDATE %s SET amount = amount + %d %s", table, by, where))
			}
			return append(changes, fmt.Sprintf("UPDATE ledger_postings SET amount = amount + (CASE WHEN amount > 0 THEN %d ELSE %d END) WHERE %s", by, -by, entries(ids[0])))
		}
		for _, c := range []struct {
			name       string
			do, undo   []string
			named, not string
		}{
			{"777 som shifted between two entries of an account", []string{postings(ids[0], 77_700), postings(ids[1], -77_700)},
				[]string{postings(ids[0], -77_700), postings(ids[1], 77_700)}, ids[0], ""},
			{"a certificate revoked without a record", []string{"UPDATE certificates SET state = 'revoked'"},
				[]string{"UPDATE certificates SET state = 'issued'"}, strings.ReplaceAll(certificate, "-", ""), ""},
			{"a place in the queue since 1970", []string{"UPDATE preschool_registrations SET queued_at = queued_at - 1 WHERE number = '" + registration + "'",
				"UPDATE preschool_choices SET queued_at = queued_at - 1 WHERE number = '" + registration + "'"},
				[]string{"UPDATE preschool_registrations SET queued_at = queued_at + 1 WHERE number = '" + registration + "'",
					"UPDATE preschool_choices SET queued_at = queued_at + 1 WHERE number = '" + registration + "'"}, registration, ""},
			{"a choice alone before the others", []string{"UPDATE preschool_choices SET queued_at = 1 WHERE choice = 1 AND number = '" + registration + "'"},
				[]string{"UPDATE preschool_choices SET queued_at = (SELECT queued_at FROM preschool_registrations r WHERE r.id = registration_id) WHERE number = '" + registration + "'"}, registration, ""},
			{"a settled payment called accepted", []string{"UPDATE payments SET state = 'accepted' WHERE id = '" + ids[0] + "'"},
				[]string{"UPDATE payments SET state = 'settled' WHERE id = '" + ids[0] + "'"}, ids[0], ""},
			{"a claim taken away", []string{"DELETE FROM payment_claims " + of},
				[]string{"INSERT INTO payment_claims (service, ref, payment_id) SELECT 'fine', ref, payment_id FROM payment_lines " + of}, ids[0], ""},
			{"a: a payment's sum", sums(100), sums(-100), ids[0], ids[1]},
			{"c: a line's fine", []string{"UPDATE payment_lines SET ref = ref || '9' " + of, "UPDATE payment_claims SET ref = ref || '9' " + of},
				[]string{"UPDATE payment_lines SET ref = SUBSTR(ref, 1, LENGTH(ref) - 1) " + of, "UPDATE payment_claims SET ref = SUBSTR(ref, 1, LENGTH(ref) - 1) " + of},
				ids[0] + " is not in its bills", ids[1]},
			{"g: a certificate's number", []string{"UPDATE certificates SET number = number || 'X'"},
				[]string{"UPDATE certificates SET number = SUBSTR(number, 1, LENGTH(number) - 1)"}, "is not in its certificate", ""},
			{"j: a child's rank", []string{"UPDATE preschool_registrations SET benefit_rank = benefit_rank - 1" + child, "UPDATE preschool_choices SET benefit_rank = benefit_rank - 1" + child},
				[]string{"UPDATE preschool_registrations SET benefit_rank = benefit_rank + 1" + child, "UPDATE preschool_choices SET benefit_rank = benefit_rank + 1" + child},
				registration + " is not in its place", ""},
			{"b: taken by another partner", []string{
				"INSERT INTO partners (id, secret_hash, created_at) SELECT 'other-bank', secret_hash, created_at FROM partners LIMIT 1",
				"UPDATE payment_txns SET partner_id = 'other-bank' " + of,
				"UPDATE ledger_postings SET account = 'partner:other-bank' WHERE account LIKE 'partner:%' AND " + entries(ids[0]),
			}, []string{
				"UPDATE payment_txns SET partner_id = '" + partner + "' " + of,
				"UPDATE ledger_postings SET account = 'partner:" + partner + "' WHERE account LIKE 'partner:%' AND " + entries(ids[0]),
			}, ids[0], ids[1]},
			{"d: a claim for what was not paid", []string{"INSERT INTO payment_claims (service, ref, payment_id) VALUES ('fine', '7900000000002', '" + ids[0] + "')"},
				[]string{"DELETE FROM payment_claims WHERE ref = '7900000000002'"}, ids[0], ids[1]},
			{"d: a claim for another service", []string{"INSERT INTO payment_claims (service, ref, payment_id) SELECT 'other', ref, payment_id FROM payment_lines " + of},
				[]string{"DELETE FROM payment_claims WHERE service = 'other'"}, ids[0], ids[1]},
			{"i: a generation set back", []string{"UPDATE identity_phones SET generation = generation + 1"},
				[]string{"UPDATE identity_phones SET generation = generation - 1"}, "cut off 1 times, the audit log says 0", ""},
			{"i: a release that was not", []string{"UPDATE identity_phones SET released_at = 1"},
				[]string{"UPDATE identity_phones SET released_at = NULL"}, "the audit log says no time", ""},
			{"l: a proof without a record", []string{
				"INSERT INTO identity_proofs (id, phone_index, citizen_id, proved_at, expires_at) SELECT 'invented', 'x', citizen_id, proved_at, expires_at FROM identity_proofs LIMIT 1",
			}, []string{"DELETE FROM identity_proofs WHERE id = 'invented'"}, "nothing of the proof invented", ""},
			{"l: a proof of another phone", []string{"UPDATE identity_proofs SET phone_index = phone_index || 'x'"},
				[]string{"UPDATE identity_proofs SET phone_index = SUBSTR(phone_index, 1, LENGTH(phone_index) - 1)"}, "another phone's", ""},
			{"l: a proof prolonged", []string{"UPDATE identity_proofs SET expires_at = expires_at + 1000000000000"},
				[]string{"UPDATE identity_proofs SET expires_at = expires_at - 1000000000000"}, "the audit log says of", ""},
			{"e: another citizen's certificate", []string{"UPDATE certificates SET citizen_id = citizen_id || 'x'"},
				[]string{"UPDATE certificates SET citizen_id = SUBSTR(citizen_id, 1, LENGTH(citizen_id) - 1)"}, strings.ReplaceAll(certificate, "-", ""), ""},
			{"m: an acceptance that nobody recorded", []string{
				"INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose) VALUES ('zzz', 1, 'partner:x', 'payment.accept', 'invented', 'y', 'payment')",
			}, []string{"DELETE FROM audit_records WHERE id = 'zzz'"}, "payment.accept of invented", ""},
			{"a paid payment deleted with all that hangs on it", []string{
				"DELETE FROM ledger_postings WHERE entry_id IN (SELECT id FROM ledger_entries " + of + ")", "DELETE FROM ledger_entries " + of,
				"DELETE FROM payment_txns " + of, "DELETE FROM payment_claims " + of, "DELETE FROM payment_lines " + of,
				"DELETE FROM payments WHERE id = '" + ids[0] + "'",
			}, nil, ids[0], ids[1]},
		} {
			for _, statement := range c.do {
				d.change(statement)
			}
			out, err := d.run("fsck")
			if err == nil || !strings.Contains(out, c.named) || c.not != "" && strings.Contains(out, c.not) {
				t.Errorf("%s: fsck says %v\n%s", c.name, err, out)
			}
			for _, statement := range c.undo {
				d.change(statement)
			}
			if c.undo != nil {
				d.fsck()
			}
		}
	})
}
