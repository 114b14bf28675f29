package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/eshik-kg/eshik/app"
)

type preschoolCommand struct {
	Replay replayCommand `cmd:"" help:"Compute an allocation of preschool places anew from its public file, without network."`
}

type replayCommand struct {
	File   string `arg:"" help:"The file that stands at /v1/preschool/allocations/N/replay of the server, fetched beforehand." type:"existingfile"`
	SHA256 string `name:"sha256" help:"What the audit log or somebody else says that the file's SHA-256 is, to be compared too."`
	Key    string `help:"Your child's key, of your own registrations: says how its wishes went."`
}

// Help is shown by `eshik preschool replay --help`.
func (replayCommand) Help() string {
	return "Nothing is asked over the network and no setting is read. It computes who is given which place, by the algorithm and by a check that shares no code with it, and compares that with " +
		"the file; and the file with its SHA-256 and its seed. The exit code is 0 where all is the same, 1 where something is otherwise, 2 where the file is no whole replay file. " +
		"That the server did not give you another file than it recorded is shown by --sha256 alone."
}

// Run computes the file's allocation anew.
func (r replayCommand) Run(out io.Writer) error {
	file, err := os.Open(r.File)
	if err != nil {
		return app.UsageError{Err: err}
	}
	defer func() { _ = file.Close() }() // it is only read
	replayed, err := app.Replay(file)
	if err != nil {
		return app.UsageError{Err: fmt.Errorf("%s: %w", r.File, err)}
	}
	said, same := replayed.Said, replayed.Same
	switch wanted := strings.ToLower(strings.TrimSpace(r.SHA256)); wanted {
	case "":
	case replayed.SHA256:
		said += "SAME  The file has the SHA-256 that you gave.\n"
	default:
		same = false
		said += "OTHER The file has not the SHA-256 that you gave.\n"
	}
	if r.Key != "" {
		said += replayed.Own(r.Key)
	}
	if _, err := io.WriteString(out, said); err != nil {
		return err
	}
	if !same {
		return errors.New("the file is otherwise than it says")
	}
	return nil
}
