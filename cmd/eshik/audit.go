package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/eshik-kg/eshik/app"
)

type auditCommand struct {
	Key    auditKey    `cmd:"" help:"Print the public key of the audit log's checkpoints, for whoever checks or cosigns them."`
	Verify auditVerify `cmd:"" help:"Compare the audit log with signed checkpoints of it; exit code 1 where it has other records."`
}

type auditKey struct{}

// Run prints the key.
func (auditKey) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		_, err := fmt.Fprintln(out, a.AuditKey())
		return err
	})
}

type auditVerify struct {
	Key   string   `required:"" help:"The log's public key, as eshik audit key prints it."`
	Files []string `arg:"" name:"file" help:"Checkpoints: files of the folder that the server keeps them in, or of your own copy." type:"existingfile"`
}

// Help is shown by `eshik audit verify --help`.
func (auditVerify) Help() string {
	return "It reads the database and needs neither the master key nor a running server. Keep copies of the checkpoints, and the key, where nobody who can " +
		"write to the database can write: the server signs one every five minutes (docs/guides/operators.md)."
}

// Run compares the log with each checkpoint.
func (v auditVerify) Run(ctx context.Context, config *app.Config, out io.Writer) error {
	var faults []error
	for _, path := range v.Files {
		signed, err := os.ReadFile(path) // #nosec G304 -- the file that was named on the command line
		if err != nil {
			return app.UsageError{Err: err}
		}
		c, err := app.VerifyCheckpoint(ctx, config, v.Key, signed)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if _, err := fmt.Fprintf(out, "%s: the log still has the %d records of this checkpoint, each as it was.\n", path, c.Size); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}
