package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// nodeFolder is where the Node packages are declared that tests compare us
// with, seen from the repository's root.
const nodeFolder = "tools/node"

// installNode puts the declared packages, as the lock file pins them, into
// folder and gives the folder of the modules. Run elsewhere than in the
// repository's root it gives "": the tests that need them say so.
func installNode(ctx context.Context, npm, folder string) (modules string, err error) {
	if !exists(nodeFolder) {
		return "", nil
	}
	home := filepath.Join(folder, "node")
	if err := os.Mkdir(home, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the Node packages: %w", err)
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(nodeFolder, name)) // #nosec G304 -- our own files
		if err == nil {
			err = os.WriteFile(filepath.Join(home, name), data, 0o600)
		}
		if err != nil {
			return "", fmt.Errorf("copy %s: %w", name, err)
		}
	}
	step := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error") // #nosec G204 -- a path that we looked up
	step.Dir = home
	if output, err := step.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("install the Node packages: %w", err), errors.New(string(output)))
	}
	return filepath.Join(home, "node_modules"), nil
}
