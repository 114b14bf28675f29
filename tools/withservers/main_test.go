package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestObeyGivesTheCommandsExitCode(t *testing.T) {
	for script, want := range map[string]int{
		"exit 0":               0,
		"exit 7":               7,
		"kill -KILL $$":        128 + int(syscall.SIGKILL),
		`test "$MARK" = given`: 0,
	} {
		code, err := obey([]string{"sh", "-c", script}, nil, []string{"MARK=given"})
		if err != nil || code != want {
			t.Errorf("%q: code %d, error %v; want code %d", script, code, err, want)
		}
	}
}

func TestObeyHandsSignalsOn(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	code, err := obey([]string{"sleep", "60"}, signals, nil)
	if want := 128 + int(syscall.SIGTERM); err != nil || code != want {
		t.Errorf("code %d, error %v; want code %d", code, err, want)
	}
}

func TestObeySaysWhichCommandIsMissing(t *testing.T) {
	if code, err := obey([]string{"/nowhere/at/all"}, nil, nil); err == nil || code != exitUsage {
		t.Errorf("code %d, error %v; want code %d and an error", code, err, exitUsage)
	}
}

func TestTemporaryFilesGoWithTheServers(t *testing.T) {
	folder := t.TempDir()
	if got, err := temporaryOf("", folder); got != nil || err != nil {
		t.Errorf("on a disk: %q, error %v; want the machine's own", got, err)
	}
	got, err := temporaryOf("/dev/shm", folder)
	if err != nil || len(got) != 2 || got[0] != "TMPDIR="+filepath.Join(folder, "tmp") || !strings.HasPrefix(got[1], "GOTMPDIR=") {
		t.Fatalf("in memory: %q, error %v", got, err)
	}
	if code, err := obey([]string{"sh", "-c", `touch "$TMPDIR/one"`}, nil, got); code != 0 || err != nil {
		t.Errorf("nothing can be written there: code %d, error %v", code, err)
	}
}

func TestAwaitTellsTheWordsOfAServerThatEnded(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	s, err := launch("A server", log, syscall.SIGTERM, exec.Command("sh", "-c", "echo the disk is full; exit 1"))
	if err != nil {
		t.Fatal(err)
	}
	<-s.ended
	err = s.await(t.Context(), func(ctx context.Context) error { return checkRedis(ctx, "127.0.0.1:1", 1) })
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v; want the server's own words", err)
	}
}

func TestVersion(t *testing.T) {
	for folder, want := range map[string]int{
		"/usr/lib/postgresql/15/bin":  15,
		"/usr/lib/postgresql/9.6/bin": 0,
	} {
		if got := version(folder); got != want {
			t.Errorf("%s: %d, want %d", folder, got, want)
		}
	}
}
