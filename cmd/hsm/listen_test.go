package main

import (
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestListen: who may ask is the owner alone or a group too; the socket of a killed program is
// replaced, that of one that answers is not, nor a file.
func TestListen(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "hsm") //nolint:usetesting // short, as it is in the address of a socket
	testworld.OK(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	me, err := user.Current()
	testworld.OK(t, err)
	group, err := user.LookupGroupId(me.Gid)
	testworld.OK(t, err)
	path := filepath.Join(folder, "s")
	for name, mode := range map[string]os.FileMode{"": ownerAsks, group.Name: groupAsks} {
		at, err := listen(t.Context(), path, name)
		testworld.OK(t, err)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("the group %q: %v, %v", name, info.Mode(), err)
		}
		if _, err := listen(t.Context(), path, ""); !errors.As(err, &wrong{}) {
			t.Errorf("two at one socket: %v", err)
		}
		at.(*net.UnixListener).SetUnlinkOnClose(false) // as one that is killed
		testworld.OK(t, at.Close())
	}
	if _, err := listen(t.Context(), path, "no such group"); !errors.As(err, &wrong{}) {
		t.Errorf("a group that is not there: %v", err)
	}
	testworld.OK(t, os.WriteFile(path, nil, 0o600))
	if _, err := listen(t.Context(), path, ""); !errors.As(err, &wrong{}) {
		t.Errorf("a file: %v", err)
	}
}

// TestPIN: from a file or the variable, and never none.
func TestPIN(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pin")
	testworld.OK(t, os.WriteFile(file, []byte("14 14\n"), 0o600))
	for value, want := range map[string]string{"1414": "1414", "file:" + file: "14 14"} {
		if pin, err := readPIN(value); err != nil || pin != want {
			t.Errorf("%s: %q, %v", value, pin, err)
		}
	}
	for _, bad := range []string{"", "file:" + file + ".absent"} {
		if pin, err := readPIN(bad); err == nil {
			t.Errorf("%q: %q", bad, pin)
		}
	}
}
