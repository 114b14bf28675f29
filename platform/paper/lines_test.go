package paper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/paper"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestLinesEndWell: a line does not end within a sum or behind № and does not begin with a dash.
func TestLinesEndWell(t *testing.T) {
	t.Parallel()
	p, err := paper.New(paper.About{Title: "x", Language: "ky", Made: time.Unix(0, 0)})
	testworld.OK(t, err)
	p.Style("", 11, 0)
	for n := range 60 { // the end of the line comes everywhere once
		for _, end := range []string{"2 310 450,75 сом", "Школа № 12", "09.05.2023 — баласы"} {
			text := strings.Repeat("м", n) + " " + end
			lines := p.Lines(text, paper.Column-2)
			if got := strings.Join(lines, ""); got != text {
				t.Fatalf("%q became %q", text, got)
			}
			for _, line := range lines[1:] {
				if strings.HasPrefix(line, "—") || strings.HasPrefix(line, "12") || strings.HasPrefix(line, "310") || strings.HasPrefix(line, "450") {
					t.Errorf("a line begins with %q", line)
				}
			}
		}
	}
}
