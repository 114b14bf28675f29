// Command phone is a phone in the terminal: it dials the service or texts it
// through the sandbox's gateways, shows each screen with its size, and can
// write the conversation down as a golden file or compare it with one.
//
//	phone                          dial *1414#, type answers; shows the SMS that come
//	phone --sms                    text instead
//	phone -record conversation.txt         write the conversation down
//	phone --replay conversation.txt        press what the file says; exit 1 where a screen differs
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

// options are the command line.
type options struct {
	App     string `help:"Where the service answers." default:"http://127.0.0.1:8080" env:"ESHIK_PHONE_APP"`
	Sandbox string `help:"Where the sandbox answers, if it runs as its own process (default: --app)." env:"ESHIK_PHONE_SANDBOX"`
	From    string `help:"The number to call from." default:"+996555000001"`
	To      string `help:"The service's SMS number." default:"1414"`
	SMS     bool   `help:"Text the service instead of dialling it."`
	Record  string `help:"Write the conversation down in this file; what is secret is only named." placeholder:"FILE"`
	Number  string `name:"personal-number" help:"What a recorded {personal_number} is (default: the sandbox's Айгүл)." default:"11503198800011"`
	Card    string `name:"document-number" help:"What a recorded {document_number} is." default:"ID1000001"`
	Replay  string `help:"Take the input from this recorded conversation and compare the screens." placeholder:"FILE" type:"existingfile"`
}

// errDiffers is a replay in which a screen was not the recorded one.
var errDiffers = errors.New("the conversation differs from the recorded one")

func main() {
	var o options
	parser := kong.Must(&o, kong.Name("phone"), kong.Description("A phone in the terminal, for the sandbox."))
	_, err := parser.Parse(doubleDash(os.Args[1:]))
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "phone:", err)
		stop()
		if errors.Is(err, errDiffers) {
			os.Exit(1)
		}
		os.Exit(2)
	}
}

// doubleDash lets people write -record as Go's own tools do: kong would read it
// as six short flags.
func doubleDash(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		name, _, _ := strings.Cut(arg, "=")
		if slices.Contains([]string{"-record", "-replay", "-from", "-sms", "-app", "-sandbox"}, name) {
			out[i] = "-" + arg
		}
	}
	return out
}

// run holds the conversation until the input ends, and writes or compares it.
func run(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	base := o.Sandbox
	if base == "" {
		base = o.App
	}
	c := client{
		base: base, from: o.From, to: o.To, http: &http.Client{Timeout: 90 * time.Second},
		known: map[string]string{"{personal_number}": o.Number, "{document_number}": o.Card},
	}
	var line speaker = &ussdLine{client: c}
	if o.SMS {
		line = &smsLine{client: c}
	} else if o.Replay == "" {
		watching, stop := context.WithCancel(ctx)
		var watch sync.WaitGroup
		defer watch.Wait()
		defer stop()
		out = &shared{Writer: out}
		_, _ = c.fresh(ctx) // who dials is told that nobody answers
		watch.Go(func() { c.announce(watching, out) })
	}
	if o.Replay != "" {
		return replay(ctx, line, o.Replay, out)
	}
	conversation, err := converse(ctx, line, in, out)
	if err != nil {
		return err
	}
	if o.Record != "" {
		if err := transcript.WriteFile(o.Record, conversation); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%d turns written to %s\n", len(conversation), o.Record)
	}
	return nil
}
