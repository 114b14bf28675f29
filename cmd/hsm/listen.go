package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Who may ask: the owner alone, or a group too.
const (
	ownerAsks = 0o600
	groupAsks = 0o660
)

// listen opens the socket. What a program that was killed left behind is replaced; where one
// answers, that is an error.
func listen(ctx context.Context, path, group string) (net.Listener, error) {
	if err := clear(ctx, path); err != nil {
		return nil, err
	}
	before := syscall.Umask(0o177) // nobody else reaches it before its rights are set
	at, err := net.Listen("unix", path)
	syscall.Umask(before)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := admit(path, group); err != nil {
		return nil, errors.Join(err, at.Close())
	}
	return at, nil
}

// clear takes away the socket of a program that is no more.
func clear(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode()&fs.ModeSocket == 0 {
		return wrong{fmt.Errorf("%s is there and is no socket", path)}
	}
	if err != nil {
		return fmt.Errorf("look at the socket: %w", err)
	}
	if other, err := (&net.Dialer{}).DialContext(ctx, "unix", path); err == nil {
		return errors.Join(wrong{fmt.Errorf("another program answers at %s", path)}, other.Close())
	}
	return os.Remove(path)
}

// admit sets who may ask.
func admit(path, group string) error {
	if group == "" {
		return os.Chmod(path, ownerAsks)
	}
	known, err := user.LookupGroup(group)
	if err != nil {
		return wrong{fmt.Errorf("the group of the socket: %w", err)}
	}
	number, err := strconv.Atoi(known.Gid)
	if err == nil {
		err = os.Chown(path, -1, number)
	}
	if err == nil {
		err = os.Chmod(path, groupAsks)
	}
	if err != nil {
		return fmt.Errorf("give the socket to the group %s: %w", group, err)
	}
	return nil
}
