package audit_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func newLog(t *testing.T, db *store.DB) *audit.Log {
	t.Helper()
	return audit.New(db, testworld.Sealer(t))
}

func record(t *testing.T, db *store.DB, log *audit.Log, n int) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			err := log.Record(t.Context(), tx, audit.Entry{
				At: time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC), Actor: fmt.Sprint("actor", i%7), Action: "certificate.read",
				Object: fmt.Sprint("object", i), Subject: fmt.Sprint("citizen", i%5), Purpose: "certificate",
				Decided: []*audit.Group{audit.Decided("sum").Number(int64(i))},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSealAndVerify(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := newLog(t, db)
		if err := log.Verify(t.Context()); err != nil {
			t.Fatalf("an empty log: %v", err)
		}
		for want := range 3 {
			head, err := log.Seal(t.Context())
			if err != nil || head.N != int64(want*600) {
				t.Fatalf("the head is %v, %v; want %d records", head, err, want*600)
			}
			if err := log.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			record(t, db, log, 600) // more than one batch
			if err := log.Verify(t.Context()); err != nil {
				t.Fatalf("with records that are not sealed yet: %v", err)
			}
		}
	})
}

func TestRecordsGoWithTheirTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := newLog(t, db)
		failure := errors.New("no")
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(log.Record(t.Context(), tx, audit.Entry{At: time.Now(), Action: "x"}), failure)
		})
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if head, err := log.Seal(t.Context()); err != nil || head.N != 0 {
			t.Errorf("a rolled back record was sealed: %v, %v", head, err)
		}
	})
}

func TestManySealAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const writers, each = 8, 30
		log := newLog(t, db)
		var group sync.WaitGroup
		for range writers {
			group.Go(func() {
				for range each {
					record(t, db, log, 1)
				}
			})
			group.Go(func() {
				for range 5 {
					if _, err := log.Seal(t.Context()); err != nil {
						t.Error(err)
					}
					if err := log.Verify(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		head, err := log.Seal(t.Context())
		if err != nil || head.N != writers*each {
			t.Errorf("the head is %v, %v; want %d records", head, err, writers*each)
		}
		if err := log.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// tamperings are statements that somebody with the database but without the key
// may run; $1 is a place in the chain.
var tamperings = []string{
	"UPDATE audit_records SET happened_at = happened_at + 1 WHERE n = $1",
	"UPDATE audit_records SET actor = actor || 'x' WHERE n = $1",
	"UPDATE audit_records SET action = '' WHERE n = $1",
	"UPDATE audit_records SET object = 'x' WHERE n = $1",
	"UPDATE audit_records SET subject = 'x' WHERE n = $1",
	"UPDATE audit_records SET purpose = 'x' WHERE n = $1",
	"UPDATE audit_records SET actor = actor || action, action = '' WHERE n = $1",
	"UPDATE audit_records SET id = id || 'x' WHERE n = $1",
	"UPDATE audit_records SET mac = 'x' WHERE n = $1",
	"UPDATE audit_records SET mac = NULL WHERE n = $1",
	"UPDATE audit_records SET n = NULL, mac = NULL WHERE n = $1",
	"UPDATE audit_records SET n = n + 1000000 WHERE n = $1",
	"UPDATE audit_records SET n = -n WHERE n = $1",
	"DELETE FROM audit_records WHERE n = $1",
	"DELETE FROM audit_records WHERE n >= $1",
	"DELETE FROM audit_records WHERE n <= $1",
	"UPDATE audit_head SET n = $1 - 1",
	"UPDATE audit_head SET n = n + $1",
	"UPDATE audit_head SET mac = 'x' WHERE n >= $1",
	"UPDATE audit_head SET own = 'x' WHERE n >= $1",
	"DELETE FROM audit_head WHERE n >= $1",
	"UPDATE audit_records SET decided = '' WHERE n = $1",
	"UPDATE audit_records SET decided = decided || '0' WHERE n = $1",
	"UPDATE audit_records SET purpose = purpose || '5:1 a=0', decided = '' WHERE n = $1",
	"INSERT INTO audit_records SELECT 'x' || id, happened_at, actor, action, object, subject, purpose, n + 1000000, mac, decided FROM audit_records WHERE n = $1",
	"UPDATE audit_records SET object = (SELECT r.object FROM audit_records r WHERE r.n = $1 + 1 OR r.n = 1 AND r.id <> audit_records.id ORDER BY r.n DESC LIMIT 1) WHERE n = $1",
}

// TestTampering changes the log in a thousand ways, each undone after Verify
// looked at it.
func TestTampering(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const records, changes = 20, 1000
		log := newLog(t, db)
		record(t, db, log, records)
		if _, err := log.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		snapshot(t, db)
		found := 0
		for i := range changes {
			statement := tamperings[i%len(tamperings)]
			at := 1 + rand.IntN(records)
			tamper(t, db, statement, at)
			if err := log.Verify(t.Context()); errors.Is(err, audit.ErrTampered) {
				found++
			} else {
				t.Errorf("not found at %d: %s (%v)", at, statement, err)
			}
			restore(t, db)
		}
		if err := log.Verify(t.Context()); err != nil || found != changes {
			t.Errorf("%d of %d found; restored: %v", found, changes, err)
		}
	})
}

func tamper(t *testing.T, db *store.DB, statement string, at int) {
	t.Helper()
	result, err := db.Writer().Exec(statement, at)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		t.Fatalf("it changes nothing at %d: %s", at, statement)
	}
}

// snapshot copies the two tables, and restore puts the copies back.
func snapshot(t *testing.T, db *store.DB) {
	t.Helper()
	for _, table := range []string{"audit_records", "audit_head"} {
		if _, err := db.Writer().Exec("CREATE TABLE copy_of_" + table + " AS SELECT * FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
}

func restore(t *testing.T, db *store.DB) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *store.Tx) error {
		for _, table := range []string{"audit_records", "audit_head"} {
			if _, err := tx.Exec("DELETE FROM " + table); err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO " + table + " SELECT * FROM copy_of_" + table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAForgedHeadIsNotBuiltUpon(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := newLog(t, db)
		record(t, db, log, 3)
		if _, err := log.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		tamper(t, db, "UPDATE audit_head SET n = $1", 1)
		record(t, db, log, 1)
		if _, err := log.Seal(t.Context()); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("Seal gave %v", err)
		}
	})
}

// TestUnsealedRecordsOfOthers is the M5 attack m: records put behind the chain with
// the database alone are named, and no server seals them.
func TestUnsealedRecordsOfOthers(t *testing.T) {
	for name, statement := range map[string]string{
		"without a mark": "INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose) VALUES ('%s', 1, 'partner:x', 'payment.accept', 'invented', 'y', 'payment')",
		"with a record's mark": "INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose, mac) " +
			"SELECT '%s', happened_at, actor, action, 'invented', subject, purpose, mac FROM audit_records WHERE n IS NULL LIMIT 1",
		"with a record and its mark": "INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose, mac) " +
			"SELECT '%s', happened_at, actor, action, object, subject, purpose, mac FROM audit_records WHERE n IS NULL LIMIT 1",
		"a record changed": "UPDATE audit_records SET object = 'invented', id = '%s' WHERE id = (SELECT MAX(id) FROM audit_records)",
	} {
		for _, id := range []string{"0", "zzz"} { // before and behind our own
			t.Run(name+" "+id, func(t *testing.T) {
				storetest.Each(t, func(t *testing.T, db *store.DB) {
					log := newLog(t, db)
					record(t, db, log, 3)
					if _, err := log.Seal(t.Context()); err != nil {
						t.Fatal(err)
					}
					record(t, db, log, 600)
					if _, err := db.Writer().Exec(fmt.Sprintf(statement, id)); err != nil {
						t.Fatal(err)
					}
					ours := 603
					if name == "a record changed" {
						ours--
					}
					if err := log.Verify(t.Context()); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "record "+id+" ") {
						t.Errorf("Verify gave %v", err)
					}
					head, err := log.Seal(t.Context())
					if !errors.Is(err, audit.ErrTampered) || head.N != int64(ours) {
						t.Errorf("Seal gave %v, %v; want %d records and ErrTampered", head, err, ours)
					}
					if _, err := db.Writer().Exec("DELETE FROM audit_records WHERE id = '" + id + "'"); err != nil {
						t.Fatal(err)
					}
					if err := log.Verify(t.Context()); err != nil {
						t.Errorf("without it: %v", err)
					}
				})
			})
		}
	}
}

// older hashes as a log without marks did.
type older struct{ *seal.Sealer }

func (o older) Index(purpose, value string) string {
	return o.Sealer.Index(strings.Replace(purpose, "audit.head.marked", "audit.head", 1), value)
}

// TestALogWithoutMarks takes the unsealed records of a log that had no marks in,
// once, and says how many they are.
func TestALogWithoutMarks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		sealer := testworld.Sealer(t)
		before, now := audit.New(db, older{sealer}), newLog(t, db)
		record(t, db, before, 3)
		if _, err := before.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		record(t, db, before, 600)
		unmark := func() {
			if _, err := db.Writer().Exec("UPDATE audit_records SET mac = NULL WHERE n IS NULL"); err != nil {
				t.Fatal(err)
			}
		}
		unmark()
		err := db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			tail, err := now.Replay(t.Context(), tx, func(audit.Recorded) {})
			if tail.Records != 600 || tail.Unmarked != 600 || tail.Since.IsZero() {
				t.Errorf("the tail is %+v", tail)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if head, err := now.Seal(t.Context()); err != nil || head.N != 603 {
			t.Fatalf("the head is %v, %v", head, err)
		}
		record(t, db, now, 1)
		unmark()
		if head, err := now.Seal(t.Context()); !errors.Is(err, audit.ErrTampered) || head.N != 603 {
			t.Errorf("a second time: %v, %v", head, err)
		}
	})
}

// TestARecordFromBeforeDigests: what was written before records said what was decided
// keeps its mark, and says nothing that can be compared.
func TestARecordFromBeforeDigests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		sealer := testworld.Sealer(t)
		log := newLog(t, db)
		if _, err := log.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := db.Writer().Exec("INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose, mac) VALUES ('r1', 5, 'a', 'bc', 'o', '', 'p', $1)",
			sealer.Index("audit.mark", "2:r11:51:a2:bc1:o0:1:p"))
		if err != nil {
			t.Fatal(err)
		}
		if head, err := log.Seal(t.Context()); err != nil || head.N != 1 {
			t.Fatalf("the head is %v, %v", head, err)
		}
		if err := log.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestDecided: a record says by keyed digests what was decided, of its own object
// alone; nothing of the fields is in the clear.
func TestDecided(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := newLog(t, db)
		sum := func(n int64) *audit.Group { return audit.Decided("sum").Number(n).Text("no digest") }
		write := func(object string, groups ...*audit.Group) {
			err := db.InTx(t.Context(), func(tx *store.Tx) error {
				return log.Record(t.Context(), tx, audit.Entry{At: time.Now(), Action: "pay", Object: object, Decided: groups})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		write("a", sum(150), audit.Decided("payer").Text("x").Sealed(nil).Moment(dbtime.Time{}))
		write("b", sum(150))
		write("c")
		said := map[string]map[string]audit.Said{}
		err := db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			_, err := log.Replay(t.Context(), tx, func(r audit.Recorded) {
				said[r.Object] = maps.Collect(r.Says())
				if r.Compares() != (r.Object != "c") {
					t.Errorf("%s compares: %v", r.Object, r.Compares())
				}
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		a, b := said["a"]["sum"], said["b"]["sum"]
		if len(said["a"]) != 2 || len(said["b"]) != 1 || len(said["c"]) != 0 || a.Same(b) || !a.Known() {
			t.Fatalf("the records say %v", said)
		}
		for want, fits := range map[bool][]bool{
			true:  {log.Fits(a, "a", sum(150)), log.Fits(b, "b", sum(150))},
			false: {log.Fits(a, "a", sum(151)), log.Fits(a, "b", sum(150)), log.Fits(a, "a", audit.Decided("payer").Number(150).Text("no digest"))},
		} {
			for i, got := range fits {
				if got != want {
					t.Errorf("%v %d: %v", want, i, got)
				}
			}
		}
		var clear int
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM audit_records WHERE decided LIKE '%no digest%'").Scan(&clear); err != nil || clear != 0 {
			t.Errorf("%d records hold a field in the clear; %v", clear, err)
		}
	})
}

// TestARecordFollowsTheOneBefore: what a step found of a row is held against the record before,
// where it says what it found; a group that it did not change it found as it left it.
func TestARecordFollowsTheOneBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := newLog(t, db)
		sum := func(n int64) *audit.Group { return audit.Decided("sum").Number(n) }
		payer := func(name string) *audit.Group { return audit.Decided("payer").Text(name) }
		of := func(sum, payer *audit.Group) []*audit.Group { return []*audit.Group{sum, payer} }
		entries := []audit.Entry{
			{Action: "made", Decided: of(sum(1), payer("x"))},
			{Action: "changed", Decided: of(sum(2), payer("x")), Was: []*audit.Group{sum(1)}},
			{Action: "left", Decided: of(sum(2), payer("x")), Was: []*audit.Group{}},
			{Action: "found otherwise", Decided: of(sum(4), payer("y")), Was: []*audit.Group{sum(3)}},
			{Action: "does not say", Decided: of(sum(9), payer("z"))},
			{Action: "of another", Object: "b", Decided: of(sum(9), payer("z")), Was: []*audit.Group{sum(8)}},
			{Action: "made anew", Object: "b", Decided: of(sum(9), payer("z")), Was: []*audit.Group{audit.None("sum")}},
			{Action: "left otherwise", Decided: of(sum(9), payer("w")), Was: []*audit.Group{}},
		}
		err := db.InTx(t.Context(), func(tx *store.Tx) (err error) {
			for i, e := range entries {
				e.At = time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC)
				err = errors.Join(err, log.Record(t.Context(), tx, e))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		said, wrong := map[string]audit.Said{}, map[string]int{}
		err = db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			_, err := log.Replay(t.Context(), tx, func(r audit.Recorded) {
				for group, now := range r.Says() {
					if !r.Follows(group, said[r.Object+group]) {
						wrong[r.Action+" "+group]++
					}
					said[r.Object+group] = now
				}
			})
			return err
		})
		if want := map[string]int{"found otherwise sum": 1, "found otherwise payer": 1, "left otherwise payer": 1, "made anew sum": 1}; err != nil || !maps.Equal(wrong, want) {
			t.Errorf("out of what was before are %v, want %v; %v", wrong, want, err)
		}
		if !log.Fits(said["sum"], "", sum(9)) {
			t.Error("a record that says what it found does not say what is")
		}
	})
}

// TestDecidedKeepsFieldsApart: no two lists of fields are one text.
func TestDecidedKeepsFieldsApart(t *testing.T) {
	heard := &hearing{}
	log := audit.New(nil, heard)
	seen := map[string]int{}
	for i, g := range []*audit.Group{
		audit.Decided("g"), audit.Decided("g").Text(""), audit.Decided("g").Text("", ""), audit.Decided("g").Text("a", "b"), audit.Decided("g").Text("ab", ""),
		audit.Decided("g").Number(1), audit.Decided("g").Text("1"), audit.Decided("g").Number(12), audit.Decided("g").Number(1, 2), audit.Decided("g").Number(-1),
		audit.Decided("g").Moment(dbtime.Time{}), audit.Decided("g").Text("#1;"), audit.Decided("g").Moment(dbtime.Time{}, dbtime.From(time.UnixMicro(1))),
		audit.Decided("g").Moment(dbtime.From(time.UnixMicro(1)), dbtime.Time{}), audit.Decided("h"), audit.Decided("g").Text("1:a"),
	} {
		log.Fits(audit.Said{}, "o", g)
		text := heard.value
		if before, known := seen[text]; known {
			t.Errorf("%d and %d are one: %q", before, i, text)
		}
		seen[text] = i
	}
}

// hearing keeps what is to be hashed.
type hearing struct{ value string }

func (h *hearing) First(sealed []byte) ([]byte, error) { return sealed, nil }

func (h *hearing) Index(_, value string) string {
	h.value = value
	return strings.Repeat("0", 64)
}
