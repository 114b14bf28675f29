package needs_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/needs"
)

type deps struct {
	Random io.Reader
	Now    func() int
	Name   string
	Heard  func()
}

// TestAll: what is missing is named, also a nil pointer in an interface.
func TestAll(t *testing.T) {
	t.Parallel()
	whole := deps{Random: &bytes.Buffer{}, Now: func() int { return 0 }, Name: "a"}
	if err := needs.All("payments", whole, "Heard"); err != nil {
		t.Error(err)
	}
	for named, without := range map[string]func(*deps){
		"Random": func(d *deps) { d.Random = nil },
		"Now":    func(d *deps) { d.Now = nil },
		"Name":   func(d *deps) { d.Name = "" },
		"Heard":  func(d *deps) {},
	} {
		d, optional := whole, "Heard"
		if without(&d); named == optional {
			optional = "Name"
		}
		if err := needs.All("payments", d, optional); err == nil || err.Error() != "payments: there is no "+named {
			t.Errorf("without %s: %v", named, err)
		}
	}
	var none *bytes.Buffer
	whole.Random = none
	if err := needs.All("payments", whole, "Heard"); err == nil || !strings.HasSuffix(err.Error(), "no Random") {
		t.Errorf("a nil pointer in an interface: %v", err)
	}
}
