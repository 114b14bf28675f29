package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// startRedis serves an empty Redis that keeps nothing on disk.
func startRedis(ctx context.Context, program, folder string) (*server, error) {
	home := filepath.Join(folder, "redis")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of Redis: %w", err)
	}
	for try := 1; ; try++ {
		s, err := serveRedis(ctx, program, home)
		if err == nil || try == tries {
			return s, err
		}
	}
}

func serveRedis(ctx context.Context, program, home string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), // #nosec G204 -- a path that we looked up
		"--dir", home, "--save", "", "--appendonly", "no", "--daemonize", "no")
	s, err := launch("Redis", filepath.Join(filepath.Dir(home), "redis.log"), syscall.SIGINT, command)
	if err != nil {
		return nil, err
	}
	s.address = fmt.Sprintf("127.0.0.1:%d", port)
	err = s.await(ctx, func(ctx context.Context) error { return checkRedis(ctx, s.address, command.Process.Pid) })
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// checkRedis sees that the server at address answers and is our process.
func checkRedis(ctx context.Context, address string, pid int) error {
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer func() { _ = client.Close() }() // all questions are answered
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "\nprocess_id:"+strconv.Itoa(pid)+"\r\n") {
		return errors.New("another Redis answers at this port")
	}
	return nil
}
