package fine

import (
	"bytes"
	_ "embed" // the grounds' data
	"encoding/csv"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// groundsFile has on which grounds a fine may be appealed, from which day and until which. That
// the list is these, and closed, is unverified: no published form of an appeal names any.
//
//go:embed grounds.csv
var groundsFile []byte

// ground is why a fine is appealed, in a code of "fine.ground_<code>".
type ground struct {
	from, until string // YYYY-MM-DD, both days counted; an empty until: for good
	code        string
	// speaks says that nothing has to be written beside it.
	speaks bool
}

var grounds = mustReadGrounds(groundsFile)

// mustReadGrounds reads the list: it is a part of the program, which does not start with one that
// cannot be read.
func mustReadGrounds(file []byte) []ground {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		panic(fmt.Errorf("read grounds.csv: %w", err))
	}
	var list []ground
	for _, row := range rows[1:] {
		_, from := time.Parse(time.DateOnly, row[0])
		_, until := time.Parse(time.DateOnly, row[1])
		if from != nil || row[1] != "" && until != nil || row[2] == "" || row[3] != "needed" && row[3] != "optional" || row[4] == "" {
			panic(fmt.Errorf("grounds.csv: %v is no days, ground, text and reason", row))
		}
		list = append(list, ground{row[0], row[1], row[2], row[3] == "optional"})
	}
	return list
}

// Grounds are the codes of what a fine may be appealed for at a moment, in the order in which
// they are offered.
func Grounds(now time.Time) (codes []string) {
	today := now.In(clock.Bishkek).Format(time.DateOnly)
	for _, g := range grounds {
		if g.from <= today && (g.until == "" || today <= g.until) {
			codes = append(codes, g.code)
		}
	}
	return codes
}

// groundKey names the text of a ground.
func groundKey(code string) string { return "fine.ground_" + code }

// offered reports that a fine may be appealed for a ground at a moment.
func offered(code string, now time.Time) bool { return slices.Contains(Grounds(now), code) }

// speaks reports that a ground says it all: an appeal needs no text beside it.
func speaks(code string) bool {
	return slices.ContainsFunc(grounds, func(g ground) bool { return g.code == code && g.speaks })
}
