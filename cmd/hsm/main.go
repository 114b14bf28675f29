// Command hsm holds the session with a hardware security module (PKCS #11), in which the master key
// of Eshik is made and which it never leaves: over a socket of this machine it wraps and unwraps the
// keys that seal, and does nothing else. It is the only part of Eshik that needs C.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/platform/seal/hsm"
)

// options are the command line. The PIN is none of it, as everybody on a machine reads those.
type options struct {
	Module string `help:"The vendor's PKCS #11 library, a whole path." required:"" env:"ESHIK_HSM_MODULE"`
	Token  string `help:"The label of the token." required:"" env:"ESHIK_HSM_TOKEN"`

	Serve serveCommand `cmd:"" help:"Answer at the socket until stopped."`
	Make  makeCommand  `cmd:"" help:"Make an AES key of 256 bits in the token, which never leaves it."`
}

type serveCommand struct {
	Keys   []string `help:"The labels of the keys that may be asked for." required:"" env:"ESHIK_HSM_KEYS"`
	Socket string   `help:"Where to listen." default:"/run/eshik-hsm/socket" env:"ESHIK_HSM_SOCKET"`
	Group  string   `help:"The group whose members may ask, beside the owner." env:"ESHIK_HSM_GROUP"`
}

type makeCommand struct {
	Label string `arg:"" help:"Letters, digits and . _ -"`
}

// setting is the variable of the PIN: the PIN itself, or file:PATH.
const setting = "ESHIK_HSM_PIN"

// wrong is a setting that does not fit: started again as it is, nothing would be better, and a
// token counts wrong PINs.
type wrong struct{ error }

// Exit codes.
const (
	exitFailed = 1
	exitWrong  = 2
)

func main() {
	var o options
	command := kong.Parse(&o, kong.Name("eshik-hsm"), kong.Description("Keeps the master key of Eshik in a hardware security module. "+
		setting+" is the PIN of the token, or file:PATH of it."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	err := run(ctx, command.Command(), o, log)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "eshik-hsm:", err)
	if errors.As(err, &wrong{}) {
		os.Exit(exitWrong)
	}
	os.Exit(exitFailed)
}

// run does what the command says.
func run(ctx context.Context, command string, o options, log *slog.Logger) error {
	pin, err := readPIN(os.Getenv(setting))
	if err != nil {
		return wrong{err}
	}
	labels := o.Serve.Keys
	if command != "serve" {
		labels = []string{o.Make.Label}
	}
	for _, label := range labels {
		if !hsm.Label(label) {
			return wrong{fmt.Errorf("%q is no label of a key: write letters, digits and . _ -, 64 at most", label)}
		}
	}
	t, err := openToken(access{module: o.Module, name: o.Token, pin: pin})
	if err != nil {
		return err
	}
	defer t.close()
	if command != "serve" {
		if err := t.make(o.Make.Label); err != nil {
			return err
		}
		fmt.Printf("Made: the key %s in the token %s. Back the token up as its vendor says, before anything is wrapped by it.\n", o.Make.Label, o.Token)
		return nil
	}
	if err := t.serves(labels); err != nil {
		return err
	}
	at, err := listen(ctx, o.Serve.Socket, o.Serve.Group)
	if err != nil {
		return err
	}
	log.Info("listening", "socket", o.Serve.Socket, "token", o.Token, "keys", o.Serve.Keys)
	return hsm.Serve(ctx, at, t, log)
}

// access is what opens a token: a library, the token's label and its PIN.
type access struct{ module, name, pin string }

// readPIN reads the setting of the PIN.
func readPIN(value string) (string, error) {
	path, inFile := strings.CutPrefix(value, "file:")
	if inFile {
		text, err := os.ReadFile(path) // #nosec G304 G703 -- the operator's own file
		if err != nil {
			return "", fmt.Errorf("the file of the PIN cannot be read: %w", err)
		}
		value = strings.TrimRight(string(text), "\r\n")
	}
	if value == "" {
		return "", errors.New("the PIN is missing: set " + setting + " to file:PATH of it")
	}
	return value, nil
}
