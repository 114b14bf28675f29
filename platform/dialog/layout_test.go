package dialog

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
)

var ussd = Budget{Septets: 182, Units: 80}

func fits(t *testing.T, b Budget, pages []Page) {
	t.Helper()
	for i, p := range pages {
		if !b.Fits(p.Text) || !utf8.ValidString(p.Text) {
			t.Errorf("page %d does not fit: %q", i, p.Text)
		}
		if i+1 < len(pages) && !strings.Contains(p.Text, "9 Дагы") {
			t.Errorf("page %d does not lead on: %q", i, p.Text)
		}
	}
}

func TestShortScreenIsOnePage(t *testing.T) {
	t.Parallel()
	pages := layout(ussd, sheet{
		body: "Эшик", labels: []string{"Айып пулдар", "Тил"}, next: make([]Next, 2), more: "9 Дагы", footer: "0 Артка",
	})
	if len(pages) != 1 || pages[0].Text != "Эшик\n1 Айып пулдар\n2 Тил\n0 Артка" {
		t.Fatalf("got %+v", pages)
	}
}

func TestLongListIsPagedAtOptions(t *testing.T) {
	t.Parallel()
	var labels []string
	for range 30 {
		labels = append(labels, "Бала бакча Ак-Босого")
	}
	pages := layout(ussd, sheet{body: "Тандаңыз", labels: labels, next: make([]Next, 30), more: "9 Дагы", footer: "0 Артка"})
	fits(t, ussd, pages)
	total := 0
	for _, p := range pages {
		total += len(p.Options)
		if got := strings.Count(p.Text, "Ак-Босого"); got != len(p.Options) {
			t.Errorf("%d options are shown, %d can be chosen: %q", got, len(p.Options), p.Text)
		}
	}
	if total != 30 {
		t.Errorf("%d of 30 options can be reached", total)
	}
}

func TestTheWayBackIsAlwaysShown(t *testing.T) {
	t.Parallel()
	pages := layout(ussd, sheet{body: strings.Repeat("ж", 78), more: "9 Дагы", footer: "0 Артка"})
	fits(t, ussd, pages)
	for _, p := range pages {
		if !strings.HasSuffix(p.Text, "0 Артка") {
			t.Errorf("no way back: %q", p.Text)
		}
	}
}

func TestANumberIsNotCutBetweenItsGroups(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("ж", 60) + " 10 000 сом"
	pages := layout(ussd, sheet{body: body, more: "9 Дагы", footer: "0 Артка", labels: []string{"Төлөө"}, next: make([]Next, 1)})
	fits(t, ussd, pages)
	if len(pages) < 2 || strings.Contains(pages[0].Text, "10\n") {
		t.Fatalf("got %+v", pages)
	}
}

// small are the sheets that a screen of any size is tried with: a list, prose,
// words longer than a screen, escape pairs and surrogate pairs.
func small() map[string]sheet {
	list := func(label string, n int) (labels []string) {
		for range n {
			labels = append(labels, label)
		}
		return labels
	}
	ky := sheet{more: "9 Дагы", footer: "0 Башкы меню"}
	latin := sheet{more: "9 Dagy", footer: "0 Bashky menyu"}
	with := func(s sheet, body string, labels []string) sheet {
		s.body, s.labels, s.next = body, labels, make([]Next, len(labels))
		return s
	}
	return map[string]sheet{
		"a list":           with(ky, "Тандаңыз", list("№ 128 «Тоо гүлчачагы»", 30)),
		"a list in Latin":  with(latin, "Tandangyz", list("No 128 Too gülchachagy", 30)),
		"long options":     with(ky, "", list(strings.Repeat("узун ", 30), 9)),
		"prose":            with(ky, strings.Repeat("Айып төлөнгөн жок. Капчыкта төлөңүз. ", 20), list("Төлөө", 2)),
		"prose in Latin":   with(latin, strings.Repeat("Ayyp tölöngön jok. ", 40), nil),
		"one long word":    with(ky, strings.Repeat("ж", 300), nil),
		"escape pairs":     with(latin, strings.Repeat("{[€]}", 60), list("^{}~", 9)),
		"surrogate pairs":  with(ky, strings.Repeat("😀", 200), list("😀😀", 9)),
		"pairs among text": with(latin, strings.Repeat("a{😀 ", 50), list("🚗 {1}", 3)),
		"nothing":          with(ky, "", nil),
	}
}

// whole checks that pages hold all of a sheet and nothing else, in order: each
// word, each option once or shortened from its end, no more pages than the text
// can need. Counting characters also tells a pair that was split.
func whole(t *testing.T, s sheet, pages []Page) {
	t.Helper()
	var body strings.Builder
	var labels []string
	for i, p := range pages {
		rest := "\n" + p.Text
		if rest = strings.TrimSuffix(rest, "\n"+s.footer); i+1 < len(pages) {
			rest = strings.TrimSuffix(rest, "\n"+s.more)
		}
		for n := len(p.Options); n > 0; n-- {
			at := strings.LastIndex(rest, "\n"+strconv.Itoa(number(p.First+n-1))+" ")
			if at < 0 {
				t.Fatalf("option %d is not on page %d: %q", n, i, p.Text)
			}
			labels = slices.Insert(labels, len(labels)-(len(p.Options)-n), strings.TrimLeft(rest[at+1:], "0123456789")[1:])
			rest = rest[:at]
		}
		body.WriteString(rest)
	}
	bare := func(text string) string { return strings.Join(strings.Fields(text), "") }
	if bare(body.String()) != bare(s.body) {
		t.Errorf("the pages say %q, not %q", body.String(), s.body)
	}
	if len(labels) != len(s.labels) {
		t.Fatalf("%d of %d options can be reached", len(labels), len(s.labels))
	}
	for i, label := range labels {
		begin, cut := strings.CutSuffix(label, "..")
		if label != s.labels[i] && !(cut && strings.HasPrefix(s.labels[i], begin)) {
			t.Errorf("option %d is %q, not %q", i, label, s.labels[i])
		}
	}
	if most := 2 + len(s.labels) + sizeOf(s.body).units/4; len(pages) > most {
		t.Errorf("%d pages, at most %d are needed", len(pages), most)
	}
}

// TestEveryBudget: whatever a screen holds, either the engine refuses it, or all
// that is to be said stands on pages that fit.
func TestEveryBudget(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	refused := 0
	for units := 1; units <= 200; units++ {
		for _, b := range []Budget{{Units: units, Septets: 2 * units}, {Units: units, Septets: units}, {Units: 200, Septets: units}, {Units: units, Septets: 200}} {
			if !b.Enough() {
				refused++
				before := k.state.Encode()
				_, err := k.engine.Next(t.Context(), k.c, k.state, Input{Start: true, Budget: b})
				if !errors.Is(err, ErrBudget) || !bytes.Equal(before, k.state.Encode()) {
					t.Fatalf("%+v: %v", b, err)
				}
				continue
			}
			for name, s := range small() {
				pages := layout(b, s)
				whole(t, s, pages)
				for i, p := range pages {
					if !b.Fits(p.Text) || !utf8.ValidString(p.Text) {
						t.Errorf("%s in %+v: page %d does not fit: %q", name, b, i, p.Text)
					}
				}
			}
			if t.Failed() {
				t.Fatalf("in %+v", b)
			}
		}
	}
	if refused < 200 || refused > 400 {
		t.Errorf("%d budgets were refused", refused)
	}
}

func TestTheWayLeavesRoom(t *testing.T) {
	t.Parallel()
	for back, want := range map[string]bool{
		"0 Артка": true, "0 Башкы меню": true, "0 " + strings.Repeat("а", 15): true, "0 " + strings.Repeat("а", 16): false, "0 " + strings.Repeat("{}", 7): false,
	} {
		if leaveRoom("9 Дагы", back) != want {
			t.Errorf("%q leaves room: %v", back, !want)
		}
	}
}

// FuzzLayout: whatever the words, every page fits, nothing is split or lost, and
// every option can be reached.
func FuzzLayout(f *testing.F) {
	f.Add("Айып 5 000 сом", "Төлөө\nАртка", uint16(80), uint16(182))
	f.Add(strings.Repeat("😀", 90), "{}[]~^|€", uint16(40), uint16(80))
	f.Add("", strings.Repeat("x", 400), uint16(60), uint16(160))
	f.Fuzz(func(t *testing.T, body, options string, units, septets uint16) {
		b := Budget{Units: 1 + int(units)%200, Septets: 1 + int(septets)%500}
		if !b.Enough() {
			return // refused: see TestEveryBudget
		}
		s := sheet{body: clean(body), more: "9 Дагы", footer: "0 Артка"}
		if options != "" {
			for label := range strings.SplitSeq(strings.ToValidUTF8(options, "?"), "\n") {
				s.labels = append(s.labels, clean(label))
			}
		}
		s.next = make([]Next, len(s.labels))
		pages := layout(b, s)
		fits(t, b, pages)
		whole(t, s, pages)
	})
}
