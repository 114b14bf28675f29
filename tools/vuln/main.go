// Command vuln judges what govulncheck found: `govulncheck -format json ./... | vuln`.
//
// A vulnerability in a dependency that our code calls is a fault: exit code 1. One
// in the standard library is mended by the Go that builds the program, not by a
// change here, so it is named with the Go version that mends it and passes: the
// image is built with the newest Go. What is present but never called is counted.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// message is one JSON value of govulncheck's stream; each has one of these.
// Shapes: golang.org/x/vuln/internal/govulncheck, protocol v1.0.0.
type message struct {
	SBOM *struct {
		GoVersion string `json:"go_version"`
		Modules   []struct {
			Path string `json:"path"`
		} `json:"modules"`
	} `json:"SBOM"`
	Config *struct {
		ScanLevel string `json:"scan_level"`
	} `json:"config"`
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *finding `json:"finding"`
}

type finding struct {
	OSV   string `json:"osv"`
	Fixed string `json:"fixed_version"`
	Trace []struct {
		Module   string `json:"module"`
		Version  string `json:"version"`
		Function string `json:"function"`
	} `json:"trace"`
}

// standardLibrary is what govulncheck calls the standard library's module.
const standardLibrary = "stdlib"

// verdict is what the stream says, each vulnerability once.
type verdict struct {
	goVersion  string
	summaries  map[string]string
	called     map[string]finding // in dependencies
	inStandard map[string]string  // called: id to the Go that mends it
	present    map[string]bool    // anywhere, called or not
}

func main() {
	v, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vuln:", err)
		os.Exit(2)
	}
	if !v.report(os.Stdout) {
		os.Exit(1)
	}
}

// read takes govulncheck's whole stream. A stream that was cut, is empty or did
// not look for calls is an error: nothing found must not mean nothing looked at.
func read(in io.Reader) (verdict, error) {
	v := verdict{
		summaries: map[string]string{}, called: map[string]finding{}, inStandard: map[string]string{}, present: map[string]bool{},
	}
	scanned, modules := "", 0
	for decoder := json.NewDecoder(in); ; {
		var m message
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return verdict{}, fmt.Errorf("read what govulncheck says: %w", err)
		}
		switch {
		case m.Config != nil:
			scanned = m.Config.ScanLevel
		case m.SBOM != nil:
			v.goVersion, modules = m.SBOM.GoVersion, len(m.SBOM.Modules)
		case m.OSV != nil:
			v.summaries[m.OSV.ID] = m.OSV.Summary
		case m.Finding != nil:
			v.add(*m.Finding)
		}
	}
	if scanned != "symbol" || modules < 2 || len(v.summaries) == 0 {
		return verdict{}, fmt.Errorf("govulncheck looked at %d modules (scan level %q) and knew %d vulnerabilities of them: it did not do its work", modules, scanned, len(v.summaries))
	}
	return v, nil
}

func (v verdict) add(f finding) {
	if len(f.Trace) == 0 {
		return
	}
	v.present[f.OSV] = true
	switch at := f.Trace[0]; {
	case at.Function == "": // in a module or package that is there; nothing calls it
	case at.Module == standardLibrary:
		v.inStandard[f.OSV] = f.Fixed
	default:
		v.called[f.OSV] = f
	}
}

// report writes a line for each called vulnerability and says whether all is well.
func (v verdict) report(out io.Writer) bool {
	for _, id := range slices.Sorted(maps.Keys(v.called)) {
		f := v.called[id]
		mend := "no version mends it yet"
		if f.Fixed != "" {
			mend = "mended in " + f.Fixed
		}
		_, _ = fmt.Fprintf(out, "FAULT %s: %s %s is called (%s): %s\n", id, f.Trace[0].Module, f.Trace[0].Version, mend, v.summaries[id])
	}
	for _, id := range slices.Sorted(maps.Keys(v.inStandard)) {
		_, _ = fmt.Fprintf(out, "%s: standard library of %s, mended in go%s: %s\n", id, v.goVersion, strings.TrimPrefix(v.inStandard[id], "v"), v.summaries[id])
	}
	_, _ = fmt.Fprintf(out, "Called vulnerabilities: %d in dependencies, %d in the standard library (build with a Go that mends them); %d present and not called.\n",
		len(v.called), len(v.inStandard), len(v.present)-len(v.called)-len(v.inStandard))
	return len(v.called) == 0
}
