package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

type flowsCommand struct {
	Check flowsCheck `cmd:"" help:"Walk every screen in every language over every budget, with the longest values, and print what is wrong."`
	Graph flowsGraph `cmd:"" help:"Draw the screens and the ways between them (Mermaid, in Markdown)."`
	Texts flowsTexts `cmd:"" help:"List every text in Kyrgyz, Russian and Latin Kyrgyz; with --html as a page on which a native speaker reads and marks them all."`
}

type flowsCheck struct{}

// Run walks, prints a table and what it proves; exit code 1 when something is
// wrong. The gateways' file, if one is set, adds the screens of its operators.
func (flowsCheck) Run(ctx context.Context, config *app.Config, out io.Writer) error {
	walked, err := proved(config.Gateways)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("ESHIK_GATEWAYS: %w", err)}
	}
	sum := summary{channels: len(walked)}
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "channel\tlanguage\tturns\tscreens\tnodes\tproblems\tmost pages\tlongest page\tfaults")
	for _, d := range walked {
		for _, loc := range crawled {
			_, _ = fmt.Fprintf(os.Stderr, "walking %s, %s …\n", d.name, loc)
			c, err := crawlAll(ctx, d, loc, planted{})
			if err != nil {
				return err
			}
			most, node := c.mostPaged()
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d of %d\t%d\t%d (%s)\t%d\t%d\n",
				d.name, loc, c.turns, c.screens, c.shown(), len(c.shows), c.problems, most, node, c.longest, len(c.faults))
			sum.add(c)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, sum.text())
	return errors.Join(sum.faults...)
}

// proved are the channels that are walked: those of doors, and every other size of
// screen that the gateways' file sets. Who has a size that is walked already is
// named beside it.
func proved(path string) ([]door, error) {
	walked := slices.Clone(doors)
	screens, err := app.Screens(path)
	for _, gateway := range slices.Sorted(maps.Keys(screens)) {
		b := screens[gateway]
		at := slices.IndexFunc(walked, func(d door) bool { return d.channel == caller.USSD && d.budget == b })
		if at < 0 {
			walked = append(walked, door{fmt.Sprintf("ussd %d/%d", b.Septets, b.Units), caller.USSD, b})
			at = len(walked) - 1
		}
		walked[at].name += ", " + gateway
	}
	return walked, err
}

// summary is what all walks came to.
type summary struct {
	channels, walks, turns, screens, nodes, problems int
	faults                                           []error
}

func (s *summary) add(c *crawl) {
	s.walks++
	s.turns += c.turns
	s.screens += c.screens
	s.nodes, s.problems = len(c.shows), c.problems
	for _, fault := range c.faults {
		s.faults = append(s.faults, errors.New(fault))
	}
}

// text says what was walked and what of it holds.
func (s *summary) text() string {
	counts := fmt.Sprintf("\n%d walks (%d channels in %d languages and scripts), %d turns, %d screens of %d nodes, %d sentences about problems: ",
		s.walks, s.channels, len(crawled), s.turns, s.screens, s.nodes, s.problems)
	if len(s.faults) > 0 {
		return counts + fmt.Sprintf("%d faults.\n", len(s.faults))
	}
	return counts + fmt.Sprintf("no fault.\n"+
		"Each node was reached; each screen fits, takes at most %d pages with the longest values, has its texts, leads on and back, and keeps no secret.\n", maxPages)
}

type flowsGraph struct {
	Out string `help:"File to write; standard output when absent." type:"path"`
}

// Run draws.
func (g flowsGraph) Run(ctx context.Context, out io.Writer) error {
	c, err := crawlAll(ctx, doors[0], locales.KY, planted{})
	if err != nil {
		return err
	}
	if g.Out == "" {
		_, err = io.WriteString(out, c.document())
		return err
	}
	if err := os.WriteFile(g.Out, []byte(c.document()), 0o644); err != nil { // #nosec G306 -- a document
		return app.UsageError{Err: fmt.Errorf("cannot write %s: %w", g.Out, err)}
	}
	return nil
}
