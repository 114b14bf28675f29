// Command withservers runs a command beside a throwaway PostgreSQL and Redis:
//
//	withservers [-durable] command [argument …]
//
// The command finds them through ESHIK_TEST_POSTGRES (a postgres:// address
// whose user may create databases), ESHIK_TEST_REDIS (host:port),
// ESHIK_TEST_REDIS_SERVER (the path of its program, for tests that kill theirs)
// ESHIK_TEST_CHROMIUM (the path of a browser), ESHIK_TEST_DRIVE_SMPP (Kannel's SMS
// centre), ESHIK_TEST_SOFTHSM (a security module's library) and ESHIK_TEST_NODE_MODULES (a folder with what tools/node declares).
// What is missing on the machine
// is installed with apt-get when running as root; otherwise one line says what
// to run, and the exit code is 2. Both servers and their folder are gone when
// the command has ended; the exit code is the command's own. Where the machine
// has memory to spare for files (/dev/shm), theirs and the command's temporary
// ones are there; not with -durable.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Exit codes of our own; every other one is the command's.
const (
	exitUsage  = 2 // wrong use, or something must be installed first
	exitServer = 3 // a server did not start
	exitSignal = 128
)

// setUpLimit is how long it may take until all is there: what is missing may be installed first.
const setUpLimit = 40 * time.Minute

// startLimit is how long a server may take until it answers.
const startLimit = 60 * time.Second

func main() {
	// A server's parent-death signal belongs to the thread that started it, so
	// everything is started from the main thread, which lives to the end.
	runtime.LockOSThread()
	durable := flag.Bool("durable", false, "have PostgreSQL sync to disk, as in production: for measuring")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: withservers [-durable] command [argument …]")
		os.Exit(exitUsage)
	}
	code, err := run(*durable, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "withservers:", err)
	}
	os.Exit(code)
}

// run does everything main promises and gives the exit code.
func run(durable bool, command []string) (code int, err error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	ctx, cancel := context.WithTimeout(context.Background(), setUpLimit)
	defer cancel()

	tools, err := find(ctx, needs())
	if err != nil {
		return exitUsage, err
	}
	var within string // "": where the machine keeps what is temporary
	if !durable {
		within = inMemory()
	}
	folder, err := os.MkdirTemp(within, "eshik-servers-")
	if err != nil {
		return exitServer, fmt.Errorf("make a folder for the servers: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Chmod(folder, 0o711); err != nil { // the database's user passes through
		return exitServer, fmt.Errorf("open the servers' folder: %w", err)
	}

	database, err := startPostgres(ctx, tools.postgres, folder, durable)
	if err != nil {
		return exitServer, err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	cache, err := startRedis(ctx, tools.redis, folder)
	if err != nil {
		return exitServer, err
	}
	defer func() { err = errors.Join(err, cache.stop()) }()

	modules, err := installNode(ctx, tools.npm, folder)
	if err != nil {
		return exitServer, err
	}

	temporary, err := temporaryOf(within, folder)
	if err != nil {
		return exitServer, err
	}
	return obey(command, signals, append(temporary,
		"ESHIK_TEST_NODE_MODULES="+modules,
		"ESHIK_TEST_POSTGRES="+database.address,
		"ESHIK_TEST_REDIS="+cache.address,
		"ESHIK_TEST_REDIS_SERVER="+tools.redis,
		"ESHIK_TEST_CHROMIUM="+tools.chromium,
		"ESHIK_TEST_DRIVE_SMPP="+tools.smpp,
		"ESHIK_TEST_SOFTHSM="+tools.softhsm,
	))
}

// temporaryOf is the environment of a command whose temporary files, SQLite's databases say, are
// in memory too. What a compiler writes is large and stays where it was.
func temporaryOf(within, folder string) ([]string, error) {
	if within == "" {
		return nil, nil
	}
	temporary := filepath.Join(folder, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for temporary files: %w", err)
	}
	return []string{"TMPDIR=" + temporary, "GOTMPDIR=" + cmp.Or(os.Getenv("GOTMPDIR"), os.TempDir())}, nil
}

// obey runs the command, hands every signal on to it and gives its exit code.
func obey(command []string, signals <-chan os.Signal, environment []string) (int, error) {
	child := exec.Command(command[0], command[1:]...) // #nosec G204 -- running what the caller asks is the purpose
	child.Env = append(os.Environ(), environment...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return exitUsage, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = child.Process.Signal(s) // it may have just ended
		case err := <-ended:
			return exitCode(err)
		}
	}
}

// exitCode turns the end of a process into what a shell would report.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return exitServer, fmt.Errorf("wait for the command: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitSignal + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
