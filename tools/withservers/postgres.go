package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// startPostgres makes a cluster in folder and serves it at 127.0.0.1. Its
// superuser has a random password, and SCRAM has the server prove that it
// knows the password too: another PostgreSQL cannot be mistaken for ours.
func startPostgres(ctx context.Context, programs, folder string, durable bool) (*server, error) {
	owner, err := databaseOwner()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(folder, "postgresql")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, fmt.Errorf("make the database's folder: %w", err)
	}
	password := rand.Text()
	secret := filepath.Join(home, "password")
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return nil, fmt.Errorf("write the database's password: %w", err)
	}
	if err := owner.take(home, secret); err != nil {
		return nil, err
	}
	data := filepath.Join(home, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), // #nosec G204 -- a path that we looked up
		"--pgdata", data, "--username", "postgres", "--pwfile", secret, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--no-locale", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync") // sorts as production does
	initdb.Dir, initdb.SysProcAttr = home, owner.attributes()
	if output, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a PostgreSQL cluster: %w\n%s", err, output)
	}
	for try := 1; ; try++ {
		s, err := servePostgres(ctx, programs, home, password, owner, durable)
		if err == nil || try == tries {
			return s, err
		}
	}
}

// servePostgres starts the server on a free port and sees that it is ours.
func servePostgres(ctx context.Context, programs, home, password string, owner account, durable bool) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(home, "data")
	command := exec.Command(filepath.Join(programs, "postgres"), "-D", data, // #nosec G204 -- a path that we looked up
		"-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=400") // every package that is tested has its own pools
	if !durable { // nothing of a test outlives the run, so nothing waits for the disk
		command.Args = append(command.Args, "-c", "fsync=off", "-c", "full_page_writes=off",
			"-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_wal_size=256MB")
	}
	command.Dir, command.SysProcAttr = home, owner.attributes()
	s, err := launch("PostgreSQL", filepath.Join(filepath.Dir(home), "postgresql.log"), syscall.SIGINT, command)
	if err != nil {
		return nil, err
	}
	s.address = fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres?sslmode=disable", password, port)
	err = s.await(ctx, func(ctx context.Context) error { return checkPostgres(ctx, s.address, data) })
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// checkPostgres sees that the server at address answers and serves our folder.
func checkPostgres(ctx context.Context, address, data string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // all questions are answered
	var serves string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&serves); err != nil {
		return err
	}
	if serves != data {
		return errors.New("another PostgreSQL answers at this port")
	}
	return nil
}

// account is whom the database runs as: PostgreSQL refuses to run as root.
type account struct {
	change   bool
	uid, gid uint32
}

func databaseOwner() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return account{}, fmt.Errorf("find the user that PostgreSQL runs as: %w", err)
	}
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the id of the user postgres: %w", err)
	}
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the group of the user postgres: %w", err)
	}
	return account{change: true, uid: uint32(uid), gid: uint32(gid)}, nil
}

// attributes start a process as this account.
func (a account) attributes() *syscall.SysProcAttr {
	if !a.change {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
}

// take gives files to this account.
func (a account) take(paths ...string) error {
	if !a.change {
		return nil
	}
	for _, path := range paths {
		if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
			return fmt.Errorf("give %s to the database: %w", path, err)
		}
	}
	return nil
}
