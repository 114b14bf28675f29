package payment

import (
	"context"
	"database/sql"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// posted is one posting, with what statements say of its entry.
type posted struct {
	account, id, kind               string
	amount                          int64
	at                              dbtime.Time
	payment, service, code          string
	partner, txn, reference, billed string
}

// postedIn reads the postings of a span of time to the accounts whose first width characters are those
// asked for, in the order of statements. Ids of entries have one form, so that every collation orders
// them alike.
const postedIn = "SELECT id, happened_at, kind, payment_id, account, amount, service, code, partner_id, txn_id, reference, ref FROM (" +
	"SELECT e.id, e.happened_at, e.kind, e.payment_id, p.account, p.amount, b.service, b.code, t.partner_id, t.txn_id, t.prv_txn AS reference, COALESCE(l.ref, '') AS ref, p.n " +
	"FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id JOIN payments b ON b.id = e.payment_id " +
	"JOIN payment_txns t ON t.payment_id = e.payment_id AND t.decision = 'approved' " +
	"LEFT JOIN payment_lines l ON l.payment_id = e.payment_id AND l.n = e.line WHERE e.happened_at >= $1 AND e.happened_at < $2 " +
	"UNION ALL SELECT id, happened_at, kind, '', source, amount, '', '', partner_id, '', reference, '', 0 FROM ledger_transfers WHERE happened_at >= $1 AND happened_at < $2 " +
	"UNION ALL SELECT id, happened_at, kind, '', destination, -amount, '', '', partner_id, '', reference, '', 1 FROM ledger_transfers WHERE happened_at >= $1 AND happened_at < $2" +
	") posted WHERE SUBSTR(account, 1, $3) = $4 ORDER BY happened_at, id, n"

// eachPosted gives the postings of a day in Bishkek, which begins at first, to use; see postedIn.
func eachPosted(ctx context.Context, tx *sql.Tx, first time.Time, width int, account string, use func(posted) error) error {
	span := []any{dbtime.From(first), dbtime.From(first.AddDate(0, 0, 1)), width, account}
	return each(ctx, tx, postedIn, span, func(rows *sql.Rows) error {
		var p posted
		err := rows.Scan(&p.id, &p.at, &p.kind, &p.payment, &p.account, &p.amount, &p.service, &p.code, &p.partner, &p.txn, &p.reference, &p.billed)
		if err != nil {
			return err
		}
		return use(p)
	})
}

// form is what a statement has of each entry.
type form struct {
	columns []string
	about   func(posted) []string // the cells between an entry's kind and its sum
}

// Headings of statements. Debits and credits are in tyiyn, moments those of Bishkek. A partner is
// not told bills: their numbers are their owners' to know.
var (
	partnerForm = form{
		columns: []string{"row", "at", "entry", "kind", "service", "code", "txn_id", "reference", "debit", "credit"},
		about:   func(p posted) []string { return []string{p.service, p.code, p.txn, p.reference} },
	}
	treasuryForm = form{
		columns: []string{"row", "at", "entry", "kind", "service", "payment", "bill", "partner", "txn_id", "reference", "debit", "credit"},
		about: func(p posted) []string {
			return []string{p.service, p.payment, p.billed, p.partner, p.txn, p.reference}
		},
	}
)

// sheet writes a statement, as its entries come.
type sheet struct {
	form
	out    *csv.Writer
	totals map[[2]string]sums // by service and kind
	whole  sums
}

// newSheet begins a statement with its headings. Errors of writing are told by end.
func newSheet(out io.Writer, f form) *sheet {
	s := &sheet{form: f, out: csv.NewWriter(out), totals: map[[2]string]sums{}}
	_ = s.out.Write(f.columns) // the writer keeps its error until end
	return s
}

// entry adds a posting.
func (s *sheet) entry(p posted) {
	var one sums
	one.add(p.amount)
	at := p.at.In(clock.Bishkek).Format("2006-01-02T15:04:05.000000-07:00")
	_ = s.out.Write(slices.Concat([]string{"entry", at, p.id, p.kind}, s.about(p), one.cells())) // as above
	of := s.totals[[2]string{p.service, p.kind}]
	of.add(p.amount)
	s.totals[[2]string{p.service, p.kind}] = of
	s.whole.add(p.amount)
}

// end adds the totals.
func (s *sheet) end() error {
	inOrder := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, of := range slices.SortedFunc(maps.Keys(s.totals), inOrder) {
		_ = s.out.Write(total(s.columns, of[0], of[1], s.totals[of])) // as above
	}
	_ = s.out.Write(total(s.columns, "", "", s.whole)) // as above
	s.out.Flush()
	return s.out.Error()
}
