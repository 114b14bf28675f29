package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// server is a process of ours that listens at address.
type server struct {
	name    string
	address string
	log     string // the file with its output
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	quit    os.Signal     // asks it to stop at once and in order
}

// tries bounds how often a server is started anew because somebody else took
// the port between our asking the system for it and the server's using it.
const tries = 5

// launch starts the command in a process group of its own, so that a Ctrl-C in
// the terminal reaches the tests and not the servers under them.
func launch(name, log string, quit os.Signal, command *exec.Cmd) (*server, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) // #nosec G304 -- in our own folder
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = output.Close() }() // the process has its own copy
	command.Stdout, command.Stderr = output, output
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	dieWithParent(command.SysProcAttr)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s := &server{name: name, log: log, process: command, ended: make(chan struct{}), quit: quit}
	go func() {
		_ = command.Wait() // how it ended shows in its log
		close(s.ended)
	}()
	return s, nil
}

// await asks ready until it agrees; an early end of the process, or startLimit,
// ends the waiting with the server's own words.
func (s *server) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var last error
	for {
		if last = ready(ctx); last == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended early: %w\n%s", s.name, last, s.words())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w\n%s", s.name, last, s.words())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// words is what the server printed.
func (s *server) words() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// stop ends the process by its own id: politely, and after ten seconds not.
func (s *server) stop() error {
	if err := s.process.Process.Signal(s.quit); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(10 * time.Second):
	}
	_ = s.process.Process.Kill() // it may have just ended
	<-s.ended
	return fmt.Errorf("%s did not stop when asked and was killed", s.name)
}

// freePort asks the system for a port that nobody listens at now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("ask for a free port: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(errors.New("the system gave no TCP port"), listener.Close())
	}
	return address.Port, listener.Close()
}
