package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

// replay says what a transcript says, until a screen is not the recorded one.
func replay(ctx context.Context, line speaker, path string, out io.Writer) error {
	turns, err := transcript.ReadFile(path)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, line.prompt())
	screen, seen := "", ""
	for i, t := range turns {
		typed, err := transcript.Choice(t.Input, screen)
		if err != nil {
			return fmt.Errorf("turn %d: %w: %w", i+1, err, errDiffers)
		}
		shown, err := exchange(ctx, line, typed, seen, out)
		if err != nil {
			return err
		}
		screen = strings.Join(shown, "\n--\n")
		if !transcript.Same(t.Screen(), screen) {
			_, _ = fmt.Fprintf(out, "\nturn %d, after %q\nrecorded:\n%s\nnow:\n%s\n", i+1, t.Input, t.Screen(), screen)
			if i == 0 {
				_, _ = fmt.Fprintln(out, "A phone that was used before begins otherwise: name another with --from, or start the service anew.")
			}
			return fmt.Errorf("turn %d: %w", i+1, errDiffers)
		}
		seen += screen + "\n"
	}
	_, _ = fmt.Fprintln(out)
	return nil
}
