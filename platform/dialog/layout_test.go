package dialog

import (
	"strings"
	"testing"
	"unicode/utf8"
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

// FuzzLayout: whatever the words, every page fits, nothing is split, and every
// option can be reached.
func FuzzLayout(f *testing.F) {
	f.Add("Айып 5 000 сом", "Төлөө\nАртка", uint16(80), uint16(182))
	f.Add(strings.Repeat("😀", 90), "{}[]~^|€", uint16(40), uint16(70))
	f.Add("", strings.Repeat("x", 400), uint16(60), uint16(160))
	f.Fuzz(func(t *testing.T, body, options string, units, septets uint16) {
		b := Budget{Units: 40 + int(units)%200, Septets: 40 + int(septets)%500}
		s := sheet{body: clean(body), more: "9 Дагы", footer: "0 Артка"}
		if options != "" {
			for label := range strings.SplitSeq(strings.ToValidUTF8(options, "?"), "\n") {
				s.labels = append(s.labels, clean(label))
			}
		}
		s.next = make([]Next, len(s.labels))
		pages, reached := layout(b, s), 0
		fits(t, b, pages)
		for _, p := range pages {
			reached += len(p.Options)
		}
		if reached != len(s.labels) {
			t.Errorf("%d of %d options can be reached", reached, len(s.labels))
		}
	})
}
