package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/limit"
)

// What is between these lines of the operators' guide is written from the code.
const (
	limitsBegin = "<!-- limits, written by make limits -->\n"
	limitsEnd   = "<!-- end of limits -->\n"
)

// withLimits gives the guide with the table of limits as the code has it.
func withLimits(guide string) (string, error) {
	before, rest, begins := strings.Cut(guide, limitsBegin)
	_, after, ends := strings.Cut(rest, limitsEnd)
	if !begins || !ends {
		return "", fmt.Errorf("%s: there is no place for the table of limits", operators)
	}
	return before + limitsBegin + limit.Table(app.Limits()) + limitsEnd + after, nil
}

// writeLimits writes the table of limits into the guide of the repository under root.
func writeLimits(root string) error {
	path := filepath.Join(root, operators)
	guide, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the operators' guide: %w", err)
	}
	written, err := withLimits(string(guide))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(written), 0o600)
}
