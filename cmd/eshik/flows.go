package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/docs/guides"
	"github.com/eshik-kg/eshik/flowcheck"
	"github.com/eshik-kg/eshik/platform/payment"
)

type flowsCommand struct {
	Check    flowsCheck    `cmd:"" help:"Walk every screen in every language over every budget, with the longest values, and print what is wrong."`
	Graph    flowsGraph    `cmd:"" help:"Draw the screens and the ways between them (Mermaid, in Markdown)."`
	Payments flowsPayments `cmd:"" help:"Draw the life of a payment, of the table that it goes by (Mermaid, in Markdown)."`
	Texts    flowsTexts    `cmd:"" help:"List every text in Kyrgyz, Russian and Latin Kyrgyz; with --html as a page on which a native speaker reads and marks them all."`
}

type flowsCheck struct{}

// Run walks, prints a table and what it proves; exit code 1 when something is
// wrong. The gateways' file, if one is set, adds the screens of its operators.
func (flowsCheck) Run(ctx context.Context, config *app.Config, out io.Writer) error {
	channels, err := flowcheck.Channels(config.Gateways)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("ESHIK_GATEWAYS: %w", err)}
	}
	sum := summary{channels: len(channels)}
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "channel\tlanguage\tturns\tscreens\tnodes\tproblems\tmost pages\tlongest page\tfaults")
	for _, channel := range channels {
		for _, loc := range flowcheck.Languages() {
			_, _ = fmt.Fprintf(os.Stderr, "walking %s, %s …\n", channel.Name, loc)
			w, err := flowcheck.Walk(ctx, channel, loc)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d of %d\t%d\t%d (%s)\t%d\t%d\n",
				channel.Name, loc, w.Turns, w.Screens, w.Reached, w.Nodes, w.Problems, w.MostPages, w.MostPaged, w.Longest, len(w.Faults))
			sum.add(w)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, sum.text())
	return errors.Join(sum.faults...)
}

// summary is what all walks came to.
type summary struct {
	channels, walks, turns, screens, nodes, problems int
	faults                                           []error
}

func (s *summary) add(w flowcheck.Walked) {
	s.walks++
	s.turns += w.Turns
	s.screens += w.Screens
	s.nodes, s.problems = w.Nodes, w.Problems
	s.faults = append(s.faults, w.Faults...)
}

// text says what was walked and what of it holds.
func (s *summary) text() string {
	counts := fmt.Sprintf("\n%d walks (%d channels in %d languages and scripts), %d turns, %d screens of %d nodes, %d sentences about problems: ",
		s.walks, s.channels, len(flowcheck.Languages()), s.turns, s.screens, s.nodes, s.problems)
	if len(s.faults) > 0 {
		return counts + fmt.Sprintf("%d faults.\n", len(s.faults))
	}
	return counts + fmt.Sprintf("no fault.\n"+
		"Each node was reached; each screen fits, takes at most %d pages with the longest values, has its texts, leads on and back, and keeps no secret.\n", flowcheck.MaxPages)
}

type flowsGraph struct {
	Out string `help:"File to write; standard output when absent." type:"path"`
}

// Run draws.
func (g flowsGraph) Run(ctx context.Context, out io.Writer) error {
	drawn, err := flowcheck.Draw(ctx)
	if err != nil {
		return err
	}
	return write(out, g.Out, drawn)
}

type flowsPayments struct {
	Out string `help:"File to write; standard output when absent." type:"path"`
}

// Run draws.
func (p flowsPayments) Run(out io.Writer) error { return write(out, p.Out, payment.Drawn()) }

type flowsTexts struct {
	HTML  bool   `name:"html" help:"Write a page on which each text is read beside its screen and marked; it needs no network."`
	Out   string `help:"File to write; standard output when absent." type:"path"`
	Guide string `help:"Another translators' guide, whose questions the page repeats; the program's own when absent." type:"path"`
}

// Help is shown by `eshik flows texts --help`.
func (flowsTexts) Help() string {
	return `Without --html it prints tab-separated lines: key, ky, ru, ky-Latn. A line break is written \n, and the plural forms of a text stand apart by " | ".

With --html it walks the conversation over USSD and writes one page: every screen with the values of the walk and with the longest ones, then every ` +
		`message, every sentence about an error, and every other text. What is marked stays in the reader's browser until it is saved as CSV there.`
}

// Run prints the table or writes the page.
func (f flowsTexts) Run(ctx context.Context, out io.Writer) error {
	text, err := f.text(ctx)
	if err != nil {
		return err
	}
	return write(out, f.Out, text)
}

func (f flowsTexts) text(ctx context.Context) (string, error) {
	if !f.HTML {
		return flowcheck.TextTable()
	}
	if f.Guide == "" {
		return flowcheck.TextPage(ctx, guides.Translators)
	}
	guide, err := os.ReadFile(f.Guide)
	if err != nil {
		return "", app.UsageError{Err: fmt.Errorf("the translators' guide (--guide): %w", err)}
	}
	return flowcheck.TextPage(ctx, string(guide))
}

// write puts a document into the file that a command was given, or shows it.
func write(out io.Writer, file, document string) error {
	if file == "" {
		_, err := io.WriteString(out, document)
		return err
	}
	if err := os.WriteFile(file, []byte(document), 0o644); err != nil { // #nosec G306 -- a document
		return app.UsageError{Err: fmt.Errorf("cannot write %s: %w", file, err)}
	}
	return nil
}
