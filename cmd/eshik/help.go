package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// release is the version that a build was told with -ldflags "-X main.release=…".
var release string

// version says which code this is: the release, else the commit that the Go
// command noted, else that it is a build from a folder without history.
func version() string {
	name := release
	if info, ok := debug.ReadBuildInfo(); ok && name == "" {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				name = "commit " + setting.Value + name
			case setting.Key == "vcs.modified" && setting.Value == "true":
				name += " with changes"
			}
		}
	}
	if name == "" {
		name = "(built without a version)"
	}
	return fmt.Sprintf("eshik %s, %s %s/%s", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

type versionCommand struct{}

// Run says the version.
func (versionCommand) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, version())
	return err
}

// helpCommand stands in the list of commands; spelledOut makes --help of it.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

// Run is never called: --help ends before it.
func (helpCommand) Run() error { return nil }

// spelledOut turns `help serve` into `serve --help`, and nothing at all into
// --help: who types the bare name wants to know what there is.
func spelledOut(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help" && !slices.Contains(args, "--help"):
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// settings are the flags of Config, which commands share, by the command, or by its
// first word where all that begin with it have the same: who wants a command explained does not want the server's 30 flags.
// A command that is not here has all of them; what is hidden still works.
var settings = map[string][]string{
	"migrate": storage, "fsck": storage, "partner": storage, "staff": storage,
	"flows": {"gateways"}, "sms": {"gateways"}, "sms silenced": storage, "version": {}, "help": {}, "": {},
}

var storage = []string{"mode", "data", "database", "redis", "master-key"}

// helpOwnFlags prints kong's help without the settings that the command does not use.
func helpOwnFlags(options kong.HelpOptions, ctx *kong.Context) error {
	own, ok := settings[""] // the page of all commands
	if node := ctx.Selected(); node != nil {
		command := strings.TrimSpace(node.Path())
		first, _, _ := strings.Cut(command, " ")
		if own, ok = settings[command]; !ok {
			own, ok = settings[first]
		}
	}
	if ok {
		for _, flag := range ctx.Model.Flags {
			flag.Hidden = flag.Name != "help" && flag.Name != "version" && !slices.Contains(own, flag.Name)
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}
