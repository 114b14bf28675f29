package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// todo is a list of what waits for an operator.
type todo struct {
	none    string   // what is said where nothing waits
	columns []string // the titles
	next    string   // what the operator does about it
}

// list prints the rows, each with as many cells as there are columns.
func (l todo) list(out io.Writer, rows [][]string) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, l.none)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{l.columns}, rows...) {
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) // Flush says what went wrong
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, l.next)
	return err
}
