package main

import (
	"bytes"
	"strings"
	"testing"
)

const (
	config  = `{"config":{"scan_level":"symbol"}}`
	modules = `{"SBOM":{"go_version":"go1.26.8","modules":[{"path":"ours"},{"path":"example.org/parser"}]}}`
	known   = `{"osv":{"id":"GO-1","summary":"parser hangs"}}{"osv":{"id":"GO-2","summary":"net/http panics"}}`
)

func TestVerdict(t *testing.T) {
	const head = config + modules + known
	for name, c := range map[string]struct {
		stream, says string
		well         bool
	}{
		"nothing":                      {head, "0 in dependencies, 0 in the standard library", true},
		"a dependency that is called":  {head + `{"finding":{"osv":"GO-1","fixed_version":"v1.2.3","trace":[{"module":"example.org/parser","version":"v1.2.2","function":"Parse"}]}}`, "FAULT GO-1: example.org/parser v1.2.2 is called (mended in v1.2.3): parser hangs", false},
		"with no mend yet":             {head + `{"finding":{"osv":"GO-1","trace":[{"module":"example.org/parser","version":"v1.2.2","function":"Parse"}]}}`, "no version mends it yet", false},
		"a dependency that is not":     {head + `{"finding":{"osv":"GO-1","fixed_version":"v1.2.3","trace":[{"module":"example.org/parser","version":"v1.2.2"}]}}`, "1 present and not called", true},
		"present first and then calls": {head + `{"finding":{"osv":"GO-1","trace":[{"module":"example.org/parser"}]}}{"finding":{"osv":"GO-1","trace":[{"module":"example.org/parser","function":"Parse"}]}}`, "1 in dependencies, 0 in the standard library (build with a Go that mends them); 0 present", false},
		"the standard library":         {head + `{"finding":{"osv":"GO-2","fixed_version":"v1.26.10","trace":[{"module":"stdlib","function":"Serve"}]}}`, "GO-2: standard library of go1.26.8, mended in go1.26.10: net/http panics", true},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := read(strings.NewReader(c.stream))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if well := v.report(&out); well != c.well || !strings.Contains(out.String(), c.says) {
				t.Errorf("well %v, said\n%s", well, out.String())
			}
		})
	}
}

func TestNothingLookedAtIsAFault(t *testing.T) {
	for name, stream := range map[string]string{
		"empty": "", "cut": config + modules + `{"osv":{"id"`, "no database": config + modules,
		"no modules": config + known, "imports only": `{"config":{"scan_level":"package"}}` + modules + known,
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := read(strings.NewReader(stream)); err == nil {
				t.Errorf("took %+v for a verdict", v)
			}
		})
	}
}
