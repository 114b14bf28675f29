package flowcheck

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestCrawl walks every screen, breadth first, in every language and script and
// over every budget, with the real services and the sandbox's registries.
func TestCrawl(t *testing.T) {
	t.Parallel()
	for _, d := range channels {
		for _, loc := range languages {
			t.Run(d.Name+" "+string(loc), func(t *testing.T) {
				t.Parallel()
				c := walked(t, d, loc)
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
	var walks []*crawl
	for _, of := range drawn() {
		walks = append(walks, walked(t, of.Channel, of.Locale))
	}
	kept, err := os.ReadFile("../docs/flows.md")
	testworld.OK(t, err)
	now := document(walks)
	if string(kept) == now {
		return
	}
	t.Error("docs/flows.md is not what the flows are: run `make flows`")
	old := strings.Split(string(kept), "\n")
	for line := range strings.SplitSeq(now, "\n") {
		if !slices.Contains(old, line) {
			t.Log("now: " + line)
		}
	}
}

// walks are those of the tests that look at the flows as they are: each is made once.
var walks sync.Map

// walked is a walk without planted faults, shared by all tests, which only read it.
func walked(t *testing.T, d Channel, loc locales.Locale) *crawl {
	t.Helper()
	once, _ := walks.LoadOrStore(d.Name+" "+string(loc), sync.OnceValues(func() (*crawl, error) {
		return crawlAll(context.Background(), d, loc, planted{})
	}))
	c, err := once.(func() (*crawl, error))()
	testworld.OK(t, err)
	return c
}

// TestAWalkEnds: one that would go on is stopped, and says at which screen.
func TestAWalkEnds(t *testing.T) {
	t.Parallel()
	_, err := crawlAll(t.Context(), channels[0], locales.KY, planted{turns: 40})
	if err == nil || !regexp.MustCompile(`not over after 40 turns, of which \d+ were taken on the screens of [a-z]+\.[a-z_]+:`).MatchString(err.Error()) {
		t.Errorf("said %v", err)
	}
}
