package main

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestATerminalIsKnownAgain: the same process is, and another that had its number would not be.
func TestATerminalIsKnownAgain(t *testing.T) {
	t.Parallel()
	me := strconv.Itoa(os.Getpid())
	other := exec.CommandContext(t.Context(), "sleep", "60")
	testworld.OK(t, other.Start())
	t.Cleanup(func() { _, _ = other.Process.Kill(), other.Wait() })
	mine, theirs := began(me), began(strconv.Itoa(other.Process.Pid))
	if mine == "" || theirs == "" || mine == theirs || mine != began(me) {
		t.Errorf("%q, %q", mine, theirs)
	}
	if none := began("0"); none != "" {
		t.Errorf("of no process: %q", none)
	}
}
