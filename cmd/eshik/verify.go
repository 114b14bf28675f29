package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
)

type verifyCommand struct {
	Trust string `required:"" help:"Trust bundle: the file that stands at /.well-known/certificate-trust of the server, fetched beforehand." type:"existingfile"`
	File  string `arg:"" help:"The document (PDF), a picture of its QR code (PNG, JPEG), or the code's text." type:"existingfile"`
}

// Help is shown by `eshik verify --help`.
func (verifyCommand) Help() string {
	return "Nothing is asked over the network and no setting is read. It prints what was signed, in Kyrgyz and Russian, to be compared with the paper, and one outcome: genuine, altered, " +
		"revoked, expired, foreign (not ours), or unknown (cannot be told without network). The exit code is 0 for genuine alone. Fetch the trust bundle from the server over https: " +
		"its signature shows that it is whole, and not whose it is."
}

// largest is the largest file that is read, in bytes.
const largest = 64 << 20

// Run checks the file.
func (v verifyCommand) Run(out io.Writer) error {
	bundle, err := readFile(v.Trust)
	if err != nil {
		return err
	}
	trust, err := app.ReadTrust(bundle)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("%s: %w", v.Trust, err)}
	}
	file, err := readFile(v.File)
	if err != nil {
		return err
	}
	checked, err := app.CheckPaper(trust, file, time.Now())
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("%s: %w", v.File, err)}
	}
	var text strings.Builder
	_, _ = fmt.Fprintf(&text, "outcome      %s\nas of        %s\nnext update  %s\nsigned by    %s\n", // a builder takes all
		checked.Outcome, clock.Second(trust.AsOf), clock.Second(trust.NextUpdate), trust.Signer)
	for _, said := range checked.Said {
		_, _ = fmt.Fprintf(&text, "\n%s\n%s\n", said.Outcome, said.Advice)
	}
	for _, words := range checked.Words {
		_, _ = fmt.Fprintf(&text, "\n%s\n", words.Title)
		for _, line := range words.Lines {
			_, _ = fmt.Fprintf(&text, "  %s\n", strings.TrimPrefix(line.Label+": "+line.Value, ": "))
		}
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return err
	}
	if checked.Outcome != "genuine" {
		return errors.New("not shown to be genuine: " + string(checked.Outcome))
	}
	return nil
}

// readFile reads a file that was named on the command line.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path) // #nosec G304 -- the file that was named
	if err != nil {
		return nil, app.UsageError{Err: err}
	}
	defer func() { _ = file.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err == nil && len(data) > largest {
		err = errors.New("the file is too large")
	}
	if err != nil {
		return nil, app.UsageError{Err: fmt.Errorf("%s: %w", path, err)}
	}
	return data, nil
}
