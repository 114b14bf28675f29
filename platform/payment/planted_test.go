package payment_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// unsaid are the columns of the payments that nothing holds against a record, and why.
var unsaid = map[string]string{
	"payments.id":                        "the row's name: renamed, it is gone and another is unknown",
	"payments.open_key":                  "finds a repeated request again; decides no money",
	"payments.locale":                    "the language of messages",
	"payments.channel":                   "statistics",
	"payments.operator":                  "statistics",
	"payments.expires_at":                "how long a code can be paid; what was paid is compared",
	"payments.partner_id":                "who may pay a quote; who paid is compared",
	"payments.waits_for":                 "whom a message is written to; decides no money",
	"payments.worked_at":                 "when a register was asked last",
	"payments.try_at":                    "when it is asked next",
	"payments.trying":                    "whether it is being asked",
	"payments.tries":                     "how often it was asked",
	"payment_lines.sent":                 "an open line's memory of a try; what it came to is compared",
	"payment_txns.payment_id":            "the row's name: moved, its payment has no transaction",
	"ledger_entries.id":                  "ties postings to their entry; either alone belongs to nothing",
	"ledger_entries.payment_id":          "the row's name: moved, both payments' entries are wrong",
	"ledger_postings.entry_id":           "the row's name: moved, its entry is wrong",
	"payment_claims.payment_id":          "the row's name: moved, a paid bill is not claimed",
	"payment_lines.payment_id":           "the row's name: moved, both payments' sums are wrong",
	"payment_refund_requests.payment_id": "the row's name: moved, its payment's request is gone and another's is unknown",
	"payment_txns.decision":              "what a refused transaction was told; of an accepted one it is the state",
}

// told is one of each kind of payment.
type told struct{ settled, returned, doubted, decided, accepted, awaiting, disowned, refused, reversed string }

func everyPayment(t *testing.T, w *world) (all told) {
	t.Helper()
	ctx := context.Background()
	w.register.refuse["22"], w.register.refuse["32"], w.register.refuse["41"] = payment.OutcomePaid, payment.OutcomeDoubt, payment.OutcomeDoubt
	ids := make([]string, 0, 9)
	for i, refs := range [][]string{{"11"}, {"21", "22"}, {"31", "32"}, {"41", "42"}, {"51"}, {"61"}, {"71"}, {"82"}, {"92"}} {
		phone := fmt.Sprintf("+99655500010%d", i)
		p := w.awaiting(t, phone, "t", refs...)
		ids = append(ids, p.ID)
		if i == 5 {
			continue // awaiting
		}
		w.accept(t, fmt.Sprint(100+i), p)
		w.Pass(time.Minute)
		if i != 4 {
			testworld.OK(t, w.Settle(ctx, p.ID))
		}
		if i == 6 {
			testworld.OK(t, w.DB.InTx(ctx, func(tx *store.Tx) error { return w.CutPhone(ctx, tx, phone, w.Clock.Now()) }))
		}
	}
	testworld.OK(t, w.Decide(ctx, staff.Act{Actor: "staff:b"}, ids[3], 0, true, "1"))
	for i, txn := range []string{"107", "108"} {
		_, err := w.AskRefund(ctx, ownWallet, txn, payment.PaidTwice)
		testworld.OK(t, err)
		w.Pass(time.Minute)
		if i == 0 {
			testworld.OK(t, w.RefuseRefund(ctx, staff.Act{Actor: "staff:b"}, ids[7], payment.NotProven))
			continue
		}
		_, err = w.Reverse(ctx, staff.Act{Actor: "staff:b"}, ids[8], "1")
		testworld.OK(t, err)
	}
	return told{ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7], ids[8]}
}

// of is a statement about a payment's rows of a table.
func of(id, table, set string) string {
	where := "payment_id = '" + id + "'"
	switch table {
	case "payments":
		where = "id = '" + id + "'"
	case "ledger_postings":
		where = "entry_id IN (SELECT id FROM ledger_entries WHERE " + where + ")"
	}
	return "UPDATE " + table + " SET " + set + " WHERE " + where
}

// sums changes a payment's sum wherever it stands.
func sums(id string) []string {
	return []string{
		of(id, "payments", "amount = amount + 100"), of(id, "payment_lines", "amount = amount + 100"), of(id, "payment_txns", "amount = amount + 100"),
		of(id, "ledger_postings", "amount = CASE WHEN amount > 0 THEN amount + 100 ELSE amount - 100 END"),
	}
}

func plants(p told) []storetest.Plant {
	plant := func(name, id, group string, statements ...string) storetest.Plant {
		return storetest.Plant{Name: name, Statements: statements, Named: []string{id, " in its " + group + " what the audit record "}}
	}
	list := []storetest.Plant{
		plant("a: a sum, settled", p.settled, "bills", sums(p.settled)...),
		plant("a: a sum, accepted", p.accepted, "bills", sums(p.accepted)...),
		plant("a: a sum, awaiting", p.awaiting, "bills", sums(p.awaiting)[:2]...),
		plant("c: a fine's reference, settled", p.settled, "bills",
			of(p.settled, "payment_lines", "ref = '99'"), of(p.settled, "payment_claims", "ref = '99'")),
		plant("c: a fine's reference, awaiting", p.awaiting, "bills", of(p.awaiting, "payment_lines", "ref = '99'")),
		plant("sums shifted between two bills", p.doubted, "bills",
			of(p.doubted, "payment_lines", "amount = amount + (CASE WHEN n = 0 THEN 100 ELSE -100 END)"),
			of(p.doubted, "ledger_postings", "amount = CASE WHEN amount > 0 THEN 1 ELSE -1 END * (CASE (SELECT line FROM ledger_entries WHERE id = entry_id) "+
				"WHEN 0 THEN 150100 WHEN 1 THEN 149900 ELSE 300000 END)")),
		plant("bills renumbered", p.settled, "bills", of(p.settled, "payment_lines", "n = n + 5"),
			of(p.settled, "ledger_entries", "line = line + 5")+" AND line = 0"),
		plant("a bill taken away", p.awaiting, "bills", of(p.awaiting, "payments", "amount = 0"), "DELETE FROM payment_lines WHERE payment_id = '"+p.awaiting+"'"),
		plant("a payment's code", p.settled, "bills", of(p.settled, "payments", "code = '0'"), of(p.settled, "payment_txns", "account = '0'")),
		plant("two payers' codes exchanged", p.awaiting, "bills", of(p.awaiting, "payments", "code = '0'")),
		plant("another service", p.settled, "bills", of(p.settled, "payments", "service = 'other'"), of(p.settled, "payment_claims", "service = 'other'"),
			of(p.settled, "ledger_postings", "account = REPLACE(account, ':fine', ':other')")),
		plant("whose payment", p.settled, "payer", of(p.settled, "payments", "owner = 'x'")),
		plant("whose payment, awaiting", p.awaiting, "payer", of(p.awaiting, "payments", "owner = 'x'")),
		plant("taken back from nobody", p.disowned, "payer", of(p.disowned, "payments", "owner = 'x'")),
		plant("whose phone", p.accepted, "payer", of(p.accepted, "payments", "phone_sealed = (SELECT s.phone_sealed FROM payments s WHERE s.id = '"+p.settled+"')")),
		plant("how a bill ended", p.returned, "outcome", of(p.returned, "payment_lines", "reason = 'cancelled'")+" AND n = 1"),
		plant("which of two bills goes back", p.returned, "outcome",
			of(p.returned, "payment_lines", "state = CASE WHEN n = 0 THEN 'refund_due' ELSE 'settled' END, reason = CASE WHEN n = 0 THEN 'already_paid' ELSE '' END"),
			"UPDATE payment_claims SET ref = '22' WHERE ref = '21'",
			of(p.returned, "ledger_entries", "line = 1 - line")+" AND line >= 0"),
		plant("since when a line is in doubt", p.doubted, "outcome", of(p.doubted, "payment_lines", "doubted_at = doubted_at + 1")+" AND n = 1",
			of(p.doubted, "ledger_entries", "happened_at = happened_at + 1")+" AND kind = 'doubt'"),
		plant("when a payment was done", p.settled, "outcome", of(p.settled, "payments", "finished_at = finished_at + 1")),
		plant("when the treasury's money was posted", p.settled, "outcome", of(p.settled, "ledger_entries", "happened_at = happened_at + 86400000000")+" AND kind = 'settle'"),
		{Name: "what a person decided", Named: []string{p.decided, "decision of the audit record"}, Statements: []string{
			of(p.decided, "payment_lines", "state = 'refund_due', reason = 'already_paid'") + " AND n = 0",
			of(p.decided, "ledger_entries", "kind = 'doubt_refund'") + " AND kind = 'doubt_settle'",
			"UPDATE ledger_postings SET account = 'refunds:fine' WHERE account = 'treasury:fine' AND entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'doubt_refund')",
			"DELETE FROM payment_claims WHERE ref = '41'", of(p.decided, "payments", "state = 'refund_due'"),
		}},
		{Name: "a posting's place", Named: []string{p.settled}, Statements: []string{of(p.settled, "ledger_postings", "n = n + 7")}},
		{Name: "when the money was posted", Named: []string{p.accepted, "accept of line -1 is of"}, Statements: []string{of(p.accepted, "ledger_entries", "happened_at = happened_at + 1")}},
		{Name: "a claim of another bill", Named: []string{p.settled}, Statements: []string{of(p.settled, "payment_claims", "ref = '98'")}},
	}
	for _, column := range []string{"opened_at", "confirmed_at", "accepted_at"} {
		list = append(list, plant("payments."+column, p.settled, "transaction", of(p.settled, "payments", column+" = "+column+" + 1")))
	}
	for _, column := range []string{"txn_id", "prv_txn", "account"} {
		list = append(list, plant("payment_txns."+column, p.settled, "transaction", of(p.settled, "payment_txns", column+" = "+column+" || '0'")))
	}
	for column, value := range map[string]string{"partner_id": "'other-bank'", "reason": "'not_payer'", "refusal": "'register_keeps'", "asked_at": "1", "decided_at": "2"} {
		list = append(list, plant("a request's "+column, p.refused, "request", of(p.refused, "payment_refund_requests", column+" = "+value)))
	}
	list = append(list,
		plant("a request refused anew", p.refused, "request", of(p.refused, "payment_refund_requests", "state = 'asked', refusal = ''")),
		storetest.Plant{Name: "a request that is gone", Named: []string{p.refused, "is gone"}, Statements: []string{"DELETE FROM payment_refund_requests WHERE payment_id = '" + p.refused + "'"}},
		storetest.Plant{Name: "a request that nobody made", Named: []string{p.settled, "knows nothing of a request"}, Statements: []string{
			"INSERT INTO payment_refund_requests (payment_id, partner_id, reason, state, refusal, asked_at) VALUES ('" + p.settled + "', '" + wallet + "', 'twice', 'asked', '', 1)"}},
		storetest.Plant{Name: "sent back by nobody", Named: []string{p.refused, "is refund_due, which the audit log does not say"}, Statements: []string{
			of(p.refused, "payments", "state = 'refund_due'"), of(p.refused, "payment_lines", "state = 'refund_due', reason = 'reversed'"),
			of(p.refused, "payment_refund_requests", "state = 'approved', refusal = ''"), "DELETE FROM payment_claims WHERE payment_id = '" + p.refused + "'",
			"INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('r', 'reverse', '" + p.refused + "', 0, 1)",
			"INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('r', 0, 'treasury:fine', 150000), ('r', 1, 'refunds:fine', -150000)",
		}},
		plant("another refund's reason", p.reversed, "outcome", of(p.reversed, "payment_lines", "reason = 'changed'")))
	return append(list,
		plant("payment_txns.paid_at", p.settled, "transaction", of(p.settled, "payment_txns", "paid_at = paid_at + 1")),
		plant("when the money came", p.accepted, "transaction", of(p.accepted, "payment_txns", "received_at = received_at + 1"),
			of(p.accepted, "ledger_entries", "happened_at = happened_at + 1")),
		plant("who took the money", p.accepted, "transaction", of(p.accepted, "payment_txns", "partner_id = 'other-bank'"),
			of(p.accepted, "ledger_postings", "account = 'partner:other-bank'")+" AND account LIKE 'partner:%'"))
}

// TestPlantedChanges: whoever changes a payment in every table alike is found, and the
// row, the group of its fields and the audit record are named.
func TestPlantedChanges(t *testing.T) {
	t.Parallel()
	tables := []string{"payments", "payment_lines", "payment_claims", "payment_txns", "payment_refund_requests", "ledger_entries", "ledger_postings"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		all := plants(everyPayment(t, w))
		storetest.Covered(t, db, tables, all, unsaid)
		look := func(tx *sql.Tx) error { _, err := w.look(tx); return err }
		storetest.Planted(t, db, all, look)
	})
}

// look compares the payments with the log in a transaction, and says how many records
// could not be compared.
func (w *world) look(tx *sql.Tx) (older int, err error) {
	c := payment.NewCheck(w.Audit)
	if _, err := w.Audit.Replay(context.Background(), tx, c.See); err != nil {
		return 0, err
	}
	err = c.Run(context.Background(), tx, func(int) {})
	return c.Older(), err
}

// TestRecordsFromBefore: what older records do not say is counted, and no fault.
func TestRecordsFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Service.Trail = w.TrailBy(testworld.Forgetful{Log: w.Audit})
		everyPayment(t, w)
		w.Service.Trail = w.TrailBy(w.Audit)
		p := w.awaiting(t, bakyt, "t", "81")
		w.accept(t, "81", p)
		var records int
		testworld.OK(t, db.Reader().QueryRow("SELECT COUNT(*) FROM audit_records WHERE decided = '' AND action LIKE 'payment.%'").Scan(&records))
		testworld.OK(t, db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			older, err := w.look(tx)
			if older != records || records < 15 {
				t.Errorf("%d records cannot be compared, of %d", older, records)
			}
			return err
		}))
		storetest.Planted(t, db, []storetest.Plant{{Name: "of the newer", Statements: sums(p.ID), Named: []string{p.ID, "bills"}}},
			func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}
