package staff

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// matrix is what each role may do, as the house agreed to it: a cell that is changed in the
// table is changed here too. d does, p proposes, a approves, b both, . nothing; in the order
// operator, clerk of a centre, clerk of a kindergarten, inspector, administrator.
const matrix = `
accounts                ...dd
add                     ...ab
allocate                b..a.
allocation              d..d.
appeal                  .d.d.
appeals                 dd.d.
closed-day              d..d.
decide                  b..a.
decide-appeal           .d...
disable                 ....d
disputes                dd.d.
enrol                   .d...
offer                   ddd..
offer-out-of-turn       bppa.
partners                ....d
proposals               ddddd
refund                  b..a.
refund-requests         d..d.
refunds                 d..d.
refuse-refund           d....
release-number          bp.a.
not-returned            b..a.
returned                b..a.
remittance              b..a.
remittance-undone       b..a.
reset                   ...ab
revoke-certificate      b..a.
rotate-certificates           ....d
rotate-certificates-revealed  ...ab
rotate-data             ....d
rotate-documents              ....d
rotate-master           ....d
rotate-tokens           ....d
rotate-tokens-revealed  ...ab
statement               d..d.
suspense                d..d.
appeal-file             .d.d.
take-appeal             .d...
take-back               bppa.
unblock                 bp.a.
unheard                 d..d.
withdraw                bp.a.
withdraw-undone         bp.a.`

// TestMatrix tries every operation with every account, signed in, cell by cell.
func TestMatrix(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel", "dinara", "k001", "vera", "root")
		shown := map[string]Session{}
		for name := range w.keys {
			token, _ := w.signIn(name)
			shown[name] = Session{token, terminal}
		}
		rights := map[Right]string{None: ".", Does: "d", Proposes: "p", Decides: "a", Both: "b"}
		rows, refused := strings.Split(strings.TrimSpace(matrix), "\n"), 0
		for _, row := range rows {
			operation, want := strings.Fields(row)[0], strings.Fields(row)[1]
			got := ""
			for _, name := range []string{"asel", "dinara", "k001", "vera", "root"} {
				own := func() ([]string, error) { return []string{house[name].Office}, nil }
				_, right, err := w.Authorize(t.Context(), shown[name], operation, "case 14-2/77", own)
				var no Forbidden
				if (right == None) != errors.As(err, &no) {
					t.Errorf("%s of %s: %q, %v", operation, name, right, err)
				}
				if right == None {
					refused++
				}
				got += rights[right]
			}
			if got != want {
				t.Errorf("%s: %s, want %s", operation, got, want)
			}
		}
		if len(rows) != len(Rules()) {
			t.Errorf("%d operations are tried, the table has %d", len(rows), len(Rules()))
		}
		if n := w.recorded("staff.refused"); n != refused {
			t.Errorf("%d refusals are recorded, %d were made", n, refused)
		}
		if _, _, err := w.Authorize(t.Context(), shown["root"], "no such operation", "case 14-2/77", nil); err == nil {
			t.Error("an operation without a row is anybody's")
		}
	})
}

// TestTable: the rows are whole, and who proposes finds somebody who decides.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, r := range Rules() {
		proposed, decided := false, false
		for role, right := range r.Rights {
			if _, known := map[Right]bool{None: true, Does: true, Proposes: true, Decides: true, Both: true}[right]; !known {
				t.Errorf("%s: %s may %q", r.Operation, role, right)
			}
			proposed, decided = proposed || right.Proposes(), decided || right.Decides()
		}
		if proposed != decided || proposed != (r.Expires >= time.Hour) || r.What == "" {
			t.Errorf("%+v", r)
		}
		if (r.Rights[Clerk] != None) != (len(r.Offices) > 0) {
			t.Errorf("%s: clerks of which offices?", r.Operation)
		}
	}
}

// TestAClerkActsForTheirOffice, and for no other, nor for what is nobody's where it must be
// somebody's.
func TestAClerkActsForTheirOffice(t *testing.T) {
	t.Parallel()
	k001, dinara := officer(house["k001"]), officer(house["dinara"])
	for _, c := range []struct {
		Officer
		offices []string
		may     bool
	}{
		{k001, []string{"kindergarten/K001", "centre/41711"}, true},
		{k001, []string{"kindergarten/K002", "centre/41711"}, false},
		{dinara, []string{"kindergarten/K001", "centre/bishkek"}, true},
		{dinara, []string{"kindergarten/K048", "centre/osh"}, false},
		{officer(house["asel"]), []string{"kindergarten/K048", "centre/osh"}, true},
	} {
		right, err := May(c.Officer, "offer", c.offices)
		if (right == Does) != c.may || (err == nil) != c.may {
			t.Errorf("%s for %v: %q %v", c.Login, c.offices, right, err)
		}
	}
}

func officer(p Profile) Officer {
	return Officer{ID: p.Login, Login: p.Login, Person: p.Person, Role: p.Role, Office: p.Office}
}

// TestReasons: what is said of an act, and what would name a person.
func TestReasons(t *testing.T) {
	t.Parallel()
	for reason, ok := range map[string]bool{
		"14-2/77": true, "case 2026-11/000123": true, "ата-эненин өтүнүчү боюнча": true, "registration 47123456783": true, "ID card seen": true,
		"": false, "  ": false, "ab": false, "---": false, "a\nb c": false, strings.Repeat("a", 201): false, "bad \xff text": false, "refund \u202e54321 som": false, "two\u2028lines": false,
		"11503198800011": false, "1 1503 1988 00011": false, "115031-9880-0011": false, "pin:11503198800011.": false,
		"٢٢١٠٧١٩٧٩٠٠٠٢٢": false, "1150319880\u200b0011": false, "11503198800\u00ad011": false,
		"+996555000001": false, "996 555 00-00-01": false, "ID1000001": false, "card id 1000001": false, "AN1234567,": false,
		"0555000001": false, "555 000 001": false, "called 0 (700) 00-00-02": false, "1150/3198/8000/11": false,
		"11503198800O11": false, "115О3198800011": false, "İD1000001": false, "ІD1000001": false, "ИД1000001": false, "АN1234567": false,
		"payment code 1234567897": true, "письмо 17-555": true, "OOO Нур": true, "statement 00012345": true,
	} {
		if err := checkReason(reason); (err == nil) != ok {
			t.Errorf("%q: %v", reason, err)
		}
	}
}
