package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/staff"
)

// desk is where an officer sits: a terminal, with its session in a file of the data folder.
type desk struct {
	config *app.Config
	log    *slog.Logger
	in     io.Reader
	out    io.Writer
	reason string
}

// longestAnswer is what is read of an officer's answer, in bytes.
const longestAnswer = 1 << 10

// line asks for a line. Nothing secret is an argument, which other users of the machine
// could read. On a terminal what is typed is not shown.
func (d desk) line(prompt string) (string, error) {
	if _, err := fmt.Fprint(d.out, prompt); err != nil {
		return "", err
	}
	if file, ok := d.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		typed, err := term.ReadPassword(int(file.Fd()))
		_, _ = fmt.Fprintln(d.out) // the line break was not shown either
		return strings.TrimSpace(string(typed)), err
	}
	line, err := readLine(d.in)
	_, _ = fmt.Fprintln(d.out)
	return strings.TrimSpace(line), err
}

// readLine reads to the end of the line and no further: what follows is the next answer.
func readLine(in io.Reader) (string, error) {
	var line []byte
	b := make([]byte, 1)
	for len(line) < longestAnswer {
		n, err := in.Read(b)
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read an answer: %w", err)
		}
		line = append(line, b[:n]...)
	}
	return string(line), nil
}

// terminal names the terminal, or the login without one, that this command was given in, so that
// what one officer proposed here another who signed in elsewhere cannot seem to approve here. Empty:
// the command stands alone, as one that is started inside a container.
func terminal() string {
	session, err := unix.Getsid(0)
	if err != nil || session <= 0 || session == os.Getpid() {
		return ""
	}
	return strconv.Itoa(session)
}

// origin is what a session is good for: a terminal of a user on a machine.
func origin() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	at := terminal()
	return strings.Join([]string{"terminal", host, strconv.Itoa(os.Getuid()), at, began(at)}, ":")
}

// began is when the process of a number began, in ticks of a start of this machine: the next one that
// is given the number is another. Empty where the system does not say.
func began(process string) string {
	if process == "" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	stat, err := os.ReadFile("/proc/" + process + "/stat") // #nosec G304 -- a number that the system gave
	if err != nil {
		return ""
	}
	const ticks = 19 // of what follows the name, which may hold anything: proc_pid_stat(5)
	after := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(after) <= ticks {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "." + after[ticks]
}

// sessionFile is where the session is kept: one for each terminal.
func (d desk) sessionFile() string {
	name := "staff.session"
	if at := terminal(); at != "" {
		name += "." + at
	}
	return filepath.Join(d.config.Data, name)
}

// dropOver removes the files of sessions that cannot go on any more.
func (d desk) dropOver() error {
	files, err := filepath.Glob(filepath.Join(d.config.Data, "staff.session*"))
	for _, file := range files {
		if info, found := os.Lstat(file); found == nil && time.Since(info.ModTime()) > staff.SessionLasts {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return err
}

// free refuses to sign in over somebody else, who would go on in another's name.
func (d desk) free(ctx context.Context, a *app.App, name string) error {
	shown, err := d.session()
	if errors.Is(err, errNobody) || errors.Is(err, errShared) { // none that is used
		return nil
	}
	if err != nil {
		return err
	}
	o, err := a.Staff.SignedIn(ctx, shown)
	if errors.Is(err, staff.ErrSession) || err == nil && o.Login == name { // it is over, or is replaced by their own
		return nil
	}
	if err != nil {
		return err
	}
	return app.UsageError{Err: fmt.Errorf("%s is signed in here. Next: eshik staff sign-out, if that is you; else use a terminal of your own", o.Login)}
}

// signIn asks for password and code and keeps the session.
func (d desk) signIn(ctx context.Context, name string) error {
	password, err := d.line("Password: ")
	if err != nil {
		return err
	}
	code, err := d.line("Code: ")
	if err != nil {
		return err
	}
	return d.beside(ctx, func(a *app.App) error {
		if err := errors.Join(d.free(ctx, a, name), d.dropOver()); err != nil {
			return err
		}
		token, o, err := a.Staff.SignIn(ctx, origin(), name, password, code)
		if err != nil {
			return err
		}
		if err := keep(d.sessionFile(), token); err != nil {
			return err
		}
		as := string(o.Role)
		if o.Office != "" {
			as += " of " + o.Office
		}
		said := fmt.Sprintf("Signed in as %s (%s): until it is not used for %.0f minutes, %.0f hours at most. eshik staff sign-out ends it.",
			o.Login, as, staff.SessionIdles.Minutes(), staff.SessionLasts.Hours())
		if o.Owes {
			said += "\nFirst: " + owes
		}
		return d.say(said, nil)
	})
}

// keep writes a session into a new file that only its owner reads, in place of the one
// before: a file or a link that another put there is not written to.
func keep(path, token string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the session: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".staff-") // 0600
	if err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	_, err = file.WriteString(token + "\n")
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the session: %w", err), os.Remove(file.Name()))
	}
	return nil
}

var (
	errOwes   = app.UsageError{Err: errors.New(owes)}
	errNobody = app.UsageError{Err: errors.New("nobody is signed in. Next: eshik staff sign-in NAME")}
	errOver   = app.UsageError{Err: errors.New("the session is over, or was begun elsewhere. Next: eshik staff sign-in NAME")}
	errReason = app.UsageError{Err: errors.New(`say why, with --reason "…": a case number or a few words, 3 to 200 characters, without a personal number, a document's or a phone's`)}
	errShared = app.UsageError{Err: errors.New("others can read or write the file of the session, so it is not used. Next: eshik staff sign-in NAME, which makes another")}
)

// owes is what an account's holder is told until nobody else knows what it signs in with.
const owes = "whoever made or reset this account has seen what it signs in with, so change it within 10 minutes: eshik staff password, then eshik staff codes"

// session reads the session. A file that is another user's, or that others may read, is
// not used.
func (d desk) session() (staff.Session, error) {
	info, err := os.Lstat(d.sessionFile())
	if errors.Is(err, os.ErrNotExist) {
		return staff.Session{}, errNobody
	}
	if err != nil {
		return staff.Session{}, fmt.Errorf("read the session: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || known && int(owner.Uid) != os.Getuid() {
		return staff.Session{}, errShared
	}
	token, err := os.ReadFile(d.sessionFile()) // #nosec G304 -- the operator's own data folder
	if err != nil {
		return staff.Session{}, fmt.Errorf("read the session: %w", err)
	}
	return staff.Session{Token: strings.TrimSpace(string(token)), Origin: origin()}, nil
}

// signOut ends the session and removes its file.
func (d desk) signOut(ctx context.Context) error {
	return d.signedIn(ctx, func(a *app.App, shown staff.Session) error {
		if err := errors.Join(a.Staff.SignOut(ctx, shown), os.Remove(d.sessionFile())); err != nil {
			return err
		}
		return d.say("Signed out.", nil)
	})
}

// signedIn does something with the session.
func (d desk) signedIn(ctx context.Context, do func(*app.App, staff.Session) error) error {
	shown, err := d.session()
	if err != nil {
		return err
	}
	return d.beside(ctx, func(a *app.App) error { return do(a, shown) })
}

// beside does something beside a server. Of some refusals it says which command comes next.
func (d desk) beside(ctx context.Context, do func(*app.App) error) error {
	return app.Beside(ctx, d.config, d.log, func(a *app.App) error {
		err := do(a)
		for _, own := range []struct{ of, told error }{{staff.ErrSession, errOver}, {staff.ErrOwes, errOwes}, {staff.ErrReason, errReason}} {
			if errors.Is(err, own.of) {
				return own.told
			}
		}
		var no staff.Forbidden
		if errors.As(err, &no) {
			return app.UsageError{Err: errors.New(no.Error())} // it says more than its problem
		}
		return err
	})
}
