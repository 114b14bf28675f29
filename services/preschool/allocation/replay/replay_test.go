package replay_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/allocation/replay"
)

var seed = []byte("test")

func header(openEvery int) replay.Header {
	sum := sha256.Sum256(seed)
	return replay.Header{Allocation: 3, Decided: "2026-11-27", Intake: 2026, OpenEvery: openEvery, Commitment: hex.EncodeToString(sum[:]), Seed: hex.EncodeToString(seed)}
}

// sample is an allocation of two groups: two with a benefit come first, and the lot decides
// between the last two.
func sample(t testing.TB) (groups []replay.Group, rows []replay.Row) {
	t.Helper()
	groups = []replay.Group{{Group: 0, Kindergarten: "K001", Age: 3, Free: 2}, {Group: 1, Kindergarten: "K002", Age: 3, Free: 1}}
	for i, order := range []int{1, 2, 3, 4, 4} {
		rows = append(rows, replay.Row{Lot: replay.Lot(seed, fmt.Sprint("child ", i)), Order: order, Wishes: []int{i % 2, 1 - i%2}[:1+i%2]})
	}
	return groups, place(t, groups, rows, 0)
}

// place allocates the places of a file.
func place(t testing.TB, groups []replay.Group, rows []replay.Row, openEvery int) []replay.Row {
	t.Helper()
	m := allocation.Market{OpenEvery: openEvery}
	for _, g := range groups {
		m.Groups = append(m.Groups, allocation.Group{Free: g.Free, Taken: g.Taken})
	}
	for _, r := range rows {
		c := allocation.Child{Rank: r.Order, Since: int64(r.Moment), Wishes: r.Wishes}
		if _, err := hex.Decode(c.Tie[:], []byte(r.Lot)); err != nil {
			t.Fatal(err)
		}
		m.Children = append(m.Children, c)
	}
	at, err := allocation.Allocate(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Place = nil
		if at[i] != allocation.Nowhere {
			rows[i].Place = &at[i]
		}
	}
	return rows
}

func written(t testing.TB, h replay.Header, groups []replay.Group, rows []replay.Row) []byte {
	t.Helper()
	file, _, err := replay.Write(h, groups, rows)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t testing.TB, file []byte) (replay.File, replay.Report) {
	t.Helper()
	f, err := replay.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.Compare(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, r
}

// TestSample holds the format: these bytes stay readable.
func TestSample(t *testing.T) {
	t.Parallel()
	groups, rows := sample(t)
	name := filepath.Join("testdata", "sample.jsonl")
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, header(0), groups, rows); !bytes.Equal(got, want) {
		t.Errorf("the file is\n%s\nnot\n%s", got, want)
	}
	f, r := read(t, want)
	if said := r.Say(f); !r.Same() || strings.Contains(said, "OTHER") || strings.Count(said, "SAME") != 4 {
		t.Errorf("it is said of it: %s", said)
	}
	if own := f.SayOwn("child 3"); !strings.Contains(own, "wish 1, K002, group 3-4: 1 places were given, 1 of them to children who come before yours") {
		t.Errorf("of the last one it is said: %s", own)
	}
	if own := f.SayOwn("child 0"); !strings.Contains(own, "the place that the allocation found for your child") {
		t.Errorf("of the first one it is said: %s", own)
	}
	if own := f.SayOwn("child 9"); !strings.Contains(own, "No child in this file has that key") {
		t.Errorf("of a stranger it is said: %s", own)
	}
}

// TestEveryChangeIsSeen: whatever is changed in a file is found, also where its SHA-256 is made anew.
func TestEveryChangeIsSeen(t *testing.T) {
	t.Parallel()
	none, first := (*int)(nil), new(int)
	for name, change := range map[string]func(h *replay.Header, groups []replay.Group, rows []replay.Row){
		"another seed":         func(h *replay.Header, _ []replay.Group, _ []replay.Row) { h.Seed = "aa" },
		"a place taken away":   func(_ *replay.Header, _ []replay.Group, rows []replay.Row) { rows[0].Place = none },
		"a place for the last": func(_ *replay.Header, _ []replay.Group, rows []replay.Row) { rows[3].Place = first },
		"a seat more":          func(_ *replay.Header, groups []replay.Group, _ []replay.Row) { groups[1].Free++ },
		"another wish":         func(_ *replay.Header, _ []replay.Group, rows []replay.Row) { rows[0].Wishes = []int{1} },
		"another order":        func(_ *replay.Header, _ []replay.Group, rows []replay.Row) { rows[0].Order = 9 },
		"all seats by the moment": func(h *replay.Header, _ []replay.Group, rows []replay.Row) {
			h.OpenEvery = 1
			for i := range rows {
				rows[i].Moment = len(rows) - i
			}
		},
	} {
		h := header(0)
		groups, rows := sample(t)
		change(&h, groups, rows)
		f, r := read(t, written(t, h, groups, rows))
		if r.Same() || !r.Whole || !strings.Contains(r.Say(f), "OTHER") {
			t.Errorf("%s, and its SHA-256 made anew: %s", name, r.Say(f))
		}
	}
	groups, rows := sample(t)
	whole := written(t, header(0), groups, rows)
	_, r := read(t, bytes.Replace(whole, []byte("2026-11-27"), []byte("2026-11-28"), 1))
	if r.Whole {
		t.Error("another day, and it is whole")
	}
}

// TestNoWholeFile: what is cut, longer, or nonsense is no file.
func TestNoWholeFile(t *testing.T) {
	t.Parallel()
	groups, rows := sample(t)
	whole := string(written(t, header(0), groups, rows))
	lines := strings.SplitAfter(whole, "\n")
	for name, text := range map[string]string{
		"empty": "", "not JSON": "x\n", "another format": strings.Replace(whole, replay.Format, "other/1", 1),
		"without its end": strings.Join(lines[:len(lines)-2], ""), "without a row": strings.Join(append(lines[:3:3], lines[4:]...), ""),
		"with a line more": whole + "{}\n", "a field more": strings.Replace(whole, `"order":1`, `"name":"x","order":1`, 1),
		"a group that is not there": strings.Replace(whole, `"wishes":[0]`, `"wishes":[7]`, 1), "a place that is not there": strings.Replace(whole, `"place":0`, `"place":-1`, 1),
		"two lots alike": strings.Replace(whole, rows[0].Lot, rows[1].Lot, 1), "a short lot": strings.Replace(whole, rows[0].Lot, "ab", 1),
		"so many children": strings.Replace(whole, `"children":5`, `"children":500000000`, 1), "a long line": strings.Repeat("x", 1<<17),
	} {
		f, err := replay.Read(strings.NewReader(text))
		if err == nil {
			_, err = replay.Compare(f)
		}
		if !errors.Is(err, replay.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRandomMarkets: what was allocated is found again, with and without open seats.
func TestRandomMarkets(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- a test
	for range 500 {
		openEvery := r.IntN(4)
		var groups []replay.Group
		for i := range 1 + r.IntN(5) {
			groups = append(groups, replay.Group{Group: i, Kindergarten: fmt.Sprint("K", i), Age: 3, Free: r.IntN(4), Taken: r.IntN(3) * min(openEvery, 1)})
		}
		var rows []replay.Row
		for i := range r.IntN(30) {
			row := replay.Row{Lot: replay.Lot(seed, fmt.Sprint(i)), Order: 1 + r.IntN(9), Wishes: r.Perm(len(groups))[:1+r.IntN(len(groups))]}
			if openEvery > 0 {
				row.Moment = 1 + r.IntN(9)
			}
			rows = append(rows, row)
		}
		f, report := read(t, written(t, header(openEvery), groups, place(t, groups, rows, openEvery)))
		if !report.Same() {
			t.Fatal(report.Say(f))
		}
	}
}

// FuzzRead: no text makes reading or computing it fail otherwise than by an error.
func FuzzRead(f *testing.F) {
	groups, rows := sample(f)
	f.Add(written(f, header(0), groups, rows))
	f.Add([]byte(`{"format":"eshik-preschool-replay/1","groups":1,"children":0}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := replay.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		r, err := replay.Compare(file)
		if err == nil && r.Say(file) == "" {
			t.Error("nothing is said of it")
		}
	})
}
