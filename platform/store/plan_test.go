package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// readsAll are the queries that may read a whole table, and why. Every other one
// has to find its rows by an index.
var readsAll = map[string]string{
	"CountSealed":   "fsck, once, where there is no head",
	"Ends":          "fsck, once",
	"PublicKeys":    "all of a handful of keys",
	"CurrentKey":    "the first of an index",
	"Partners":      "all of some dozens, for an operator",
	"Webhooks":      "one of each of those, for an operator and fsck",
	"Keys":          "all of a handful of keys",
	"DocumentKeys":  "all of a handful of keys",
	"AnyRecord":     "any one row",
	"Brakes":        "the first 200 of an index",
	"Accounts":      "all of those who serve",
	"HoldAccounts":  "all of those who serve, while one is disabled",
	"AnyAccount":    "any one row",
	"Runs":          "all allocations, for fsck",
	"LastRun":       "the last of an index",
	"LastDay":       "the last of an index",
	"FirstEntry":    "the first of an index",
	"FirstTransfer": "the first of an index",
}

// M7: every query of sqlc's finds its rows by an index, on both databases.
func TestM7EveryQueryUsesAnIndex(t *testing.T) {
	t.Parallel()
	queries := generated(t)
	if len(queries) < 100 {
		t.Fatalf("only %d queries were found", len(queries))
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		checked := 0
		for name, query := range queries {
			if _, known := readsAll[name[strings.LastIndex(name, ".")+1:]]; known {
				continue
			}
			if plan := explain(t, db, query); scans(db, plan) {
				t.Errorf("%s reads a whole table:\n%s\n%s", name, query, plan)
			}
			checked++
		}
		t.Logf("%d queries", checked)
		if !scans(db, explain(t, db, "SELECT id FROM payments WHERE operator = $1")) {
			t.Error("a query without an index is not found: the test cannot fail")
		}
	})
}

// generated reads the statements that sqlc made, by package and name.
func generated(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"../*/db/*.sql.go", "../../services/*/db/*.sql.go", "../../sms/db/*.sql.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range regexp.MustCompile("(?s)= `-- name: (\\w+) :\\w+\n(.*?)`").FindAllSubmatch(text, -1) {
				found[filepath.Base(filepath.Dir(filepath.Dir(file)))+"."+string(q[1])] = string(q[2])
			}
		}
	}
	return found
}

// fill writes 10^5 payments with what belongs to them, most of them long over.
func fill(t *testing.T, db *store.DB) {
	t.Helper()
	const many = "WITH RECURSIVE many (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < 100000) "
	for _, statement := range []string{
		"INSERT INTO payments (id, code, service, owner, phone_sealed, open_key, locale, channel, operator, amount, state, opened_at, expires_at, accepted_at) " +
			many + "SELECT 'p' || i, 'c' || i, 'fine', 'o' || (i % 50000), 'x', 'k' || i, 'ky', 'ussd', '', 1, " +
			"CASE WHEN i % 1000 = 0 THEN 'accepted' WHEN i % 1001 = 0 THEN 'in_doubt' ELSE 'settled' END, i, i, i FROM many",
		"INSERT INTO payment_lines (payment_id, n, ref, amount, state, reason, sent) " + many + "SELECT 'p' || i, 0, 'r' || i, 1, 'settled', '', TRUE FROM many",
		"INSERT INTO payment_claims (service, ref, payment_id) " + many + "SELECT 'fine', 'r' || i, 'p' || i FROM many",
		"INSERT INTO payment_txns (partner_id, txn_id, prv_txn, account, amount, paid_at, received_at, payment_id, decision) " +
			many + "SELECT 'demo-wallet', 't' || i, 'v' || i, 'c' || i, 1, i, i, 'p' || i, 'approved' FROM many",
		"ANALYZE",
	} {
		if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// explain gives the plan that a database makes of a query whose parameters it does
// not know. PostgreSQL reads a table that is empty or small without an index: it is
// told that such a reading costs much, so that it is left only where nothing else
// can be done.
func explain(t *testing.T, db *store.DB, query string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := db.Writer().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	count := 0
	for _, p := range parameter.FindAllStringSubmatch(query, -1) {
		var n int
		_, _ = fmt.Sscan(p[1], &n) // digits
		count = max(count, n)
	}
	name := "q" + strings.ReplaceAll(uuid.NewString(), "-", "")
	ask, args := "EXPLAIN QUERY PLAN "+query, make([]any, count)
	if db.Engine() == store.PostgreSQL {
		for _, set := range []string{"SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off", "PREPARE " + name + " AS " + query} {
			if _, err := conn.ExecContext(ctx, set); err != nil {
				t.Fatalf("%s: %v", set, err)
			}
		}
		ask, args = "EXPLAIN EXECUTE "+name, nil
		if count > 0 {
			ask += "(NULL" + strings.Repeat(", NULL", count-1) + ")"
		}
	}
	rows, err := conn.QueryContext(ctx, ask, args...)
	if err != nil {
		t.Fatalf("%s: %v", ask, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, cells[len(cells)-1])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// wholeIndex is SQLite's reading of an index from end to end; one that holds only
// the rows in question is as good as a search.
var wholeIndex = regexp.MustCompile(`SCAN \w+( AS \w+)?( USING (COVERING )?INDEX (\w+))?`)

// partial are the indexes that hold only the rows that wait for something.
var partial = map[string]bool{
	"payments_try": true, "payments_worked": true, "payments_doubt": true, "audit_records_unsealed": true,
	"payment_lines_doubt": true, "payments_back": true, "payment_refund_requests_asked": true, "fine_appeals_open": true, "partner_events_new": true, "partner_deliveries_due": true,
}

// scans reports that a plan reads a whole table.
func scans(db *store.DB, plan string) bool {
	if db.Engine() == store.PostgreSQL {
		return strings.Contains(plan, "Seq Scan")
	}
	for line := range strings.Lines(plan) {
		if found := wholeIndex.FindStringSubmatch(line); found != nil && !partial[found[4]] && !strings.Contains(line, "CONSTANT ROW") {
			return true
		}
	}
	return false
}
