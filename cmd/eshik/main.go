// Command eshik is the server of the one door to public services, and the tools
// of those who run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/app"
)

// cli is the command line. Every flag can be given as an environment variable.
type cli struct {
	app.Config `embed:""`

	Serve     serveCommand     `cmd:"" help:"Run the server. Without any setting it runs the sandbox: everything on this machine, with invented people."`
	Worker    workerCommand    `cmd:"" help:"Run only the background work (messages, settlements) against the same database."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database to this version and stop."`
	Fsck      fsckCommand      `cmd:"" help:"Check the ledger and the audit log; exit code 1 when something is wrong."`
	Audit     auditCommand     `cmd:"" help:"Check the audit log against signed checkpoints, without a secret."`
	Keys      keysCommand      `cmd:"" help:"Look at the keys that sign certificates and access tokens, and those that seal, and rotate them."`
	Partner   partnerCommand   `cmd:"" help:"Manage payment partners."`
	Flows     flowsCommand     `cmd:"" help:"Prove and draw the conversation."`
	SMS       smsCommand       `cmd:"" name:"sms" help:"Look at the messages that citizens get."`
	Staff     staffCommand     `cmd:"" help:"Do an operator's work: offer a preschool place, decide payments in doubt, clear phones in dispute."`
	Verify    verifyCommand    `cmd:"" help:"Check a certificate without network: its PDF, a picture of its QR code, or the code's text."`
	Preschool preschoolCommand `cmd:"" help:"Compute an allocation of preschool places anew from its public file."`
	Version   versionCommand   `cmd:"" help:"Say which version this is, and which Go built it."`
	Help      helpCommand      `cmd:"" help:"Show this page, or that of a command: eshik help serve."`

	ShowVersion kong.VersionFlag `name:"version" help:"Say which version this is, and stop."`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as parameters; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := cli{Staff: staffCommand{Tasks: taskCommands()}}
	exited := -1
	args = spelledOut(args)
	parser, err := kong.New(&c,
		kong.Name("eshik"),
		kong.Description("One door to public services: traffic fines, certificates, the preschool queue, over USSD, SMS and REST.\n\n"+
			"Start with `eshik serve`, then open the address it prints. `eshik help serve` lists every setting; "+
			"each can also be given as an environment variable."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }), kong.UsageOnError(),
		kong.Help(helpOwnFlags), kong.Vars{"version": version()},
		kong.Bind(&c), kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdin, (*io.Reader)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	if err != nil {
		return fail(stderr, err)
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help or --version was shown
		return exited
	}
	if err != nil {
		return fail(stderr, app.UsageError{Err: err})
	}
	tuneMemory()
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := command.Run(&c.Config, log); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// tuneMemory collects garbage less often than Go does by default: what lives is
// some tens of megabytes, and at the default pace collecting was a tenth of what a
// dialled step costs. GOGC and GOMEMLIMIT count where they are set.
func tuneMemory() {
	const percent, limit = 400, 768 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit) // from here on at any pace
	}
}

// fail says what was wrong, one line each, and gives the exit code: 2 for what
// the command line or the surroundings must mend, 1 for all else.
func fail(stderr io.Writer, err error) int {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, _ = fmt.Fprintln(stderr, "eshik:", line)
	}
	var usage app.UsageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}
