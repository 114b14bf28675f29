package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/eshik-kg/eshik/locales"
)

type flowsCommand struct {
	Check flowsCheck `cmd:"" help:"Walk every screen in every language over every budget, with the longest values, and print what is wrong."`
	Graph flowsGraph `cmd:"" help:"Draw the screens and the ways between them (Mermaid, in Markdown)."`
}

type flowsCheck struct{}

// Run walks and prints a table; exit code 1 when something is wrong.
func (flowsCheck) Run(ctx context.Context, out io.Writer) error {
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "channel\tlanguage\tturns\tscreens\tnodes\tmost pages\tlongest page\tfaults")
	var faults []error
	for _, d := range doors {
		for _, loc := range crawled {
			_, _ = fmt.Fprintf(os.Stderr, "walking %s, %s …\n", d.name, loc)
			c, err := crawlAll(ctx, d, loc)
			if err != nil {
				return err
			}
			most, node := c.mostPaged()
			_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d of %d\t%d (%s)\t%d\t%d\n",
				d.name, loc, c.turns, c.screens, c.shown(), len(c.shows), most, node, c.longest, len(c.faults))
			for _, fault := range c.faults {
				faults = append(faults, errors.New(fault))
			}
		}
	}
	return errors.Join(append(faults, table.Flush())...)
}

type flowsGraph struct {
	Out string `help:"File to write; standard output when absent." type:"path"`
}

// Run draws.
func (g flowsGraph) Run(ctx context.Context, out io.Writer) error {
	c, err := crawlAll(ctx, doors[0], locales.KY)
	if err != nil {
		return err
	}
	if g.Out == "" {
		_, err = io.WriteString(out, c.document())
		return err
	}
	if err := os.WriteFile(g.Out, []byte(c.document()), 0o644); err != nil { // #nosec G306 -- a document
		return usageError{fmt.Errorf("cannot write %s: %w", g.Out, err)}
	}
	return nil
}
