package flowcheck

import (
	"os"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// TestCrawl walks every screen, breadth first, in every language and script and
// over every budget, with the real services and the sandbox's registries.
func TestCrawl(t *testing.T) {
	t.Parallel()
	for _, d := range channels {
		for _, loc := range languages {
			t.Run(d.Name+" "+string(loc), func(t *testing.T) {
				t.Parallel()
				c, err := crawlAll(t.Context(), d, loc, planted{})
				if err != nil {
					t.Fatal(err)
				}
				for _, fault := range c.faults {
					t.Error(fault)
				}
				if c.screens < 40 || len(c.edges) < 20 {
					t.Errorf("only %d screens and %d ways were met: this crawl saw nothing", c.screens, len(c.edges))
				}
				t.Logf("%d turns, %d screens, %d nodes", c.turns, c.screens, len(c.reached))
			})
		}
	}
}

// TestCrawlFinds: a screen whose text is wrong is found; TestPlantedFaults has the
// flows.
func TestCrawlFinds(t *testing.T) {
	t.Parallel()
	c := &crawl{channel: channels[0], locale: locales.KYLatn, parts: map[string]bool{"fine": true}}
	at := dialog.NewState(locales.KYLatn)
	for text, want := range map[string]string{
		strings.Repeat("ж", 81): "does not fit", "a\n\nb": "has an empty line", "{plate}: 3": "has an empty place",
		"fine.list": "shows a key", "eshik.kg": "", "Айып": "has Cyrillic letters", "0 Artka": "",
	} {
		c.faults = nil
		c.check(at, dialog.Reply{Text: text}, nil)
		if found := strings.Join(c.faults, ""); (want == "") != (found == "") || !strings.Contains(found, want) {
			t.Errorf("%.20q gave %q, want %q", text, found, want)
		}
	}
}

// TestGraphIsCurrent holds docs/flows.md to the flows: `make flows` writes it.
func TestGraphIsCurrent(t *testing.T) {
	t.Parallel()
	c, err := crawlAll(t.Context(), channels[0], locales.KY, planted{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("../docs/flows.md")
	if err != nil || string(kept) != c.document() {
		t.Errorf("docs/flows.md is not what the flows are (%v): run `make flows`", err)
	}
}
