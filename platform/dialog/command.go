package dialog

import (
	"strings"

	"github.com/eshik-kg/eshik/locales"
)

// command finds the command that text begins with.
func (e *Engine) command(text string) (Command, string, bool) {
	word, rest, _ := strings.Cut(clean(text), " ")
	command, known := e.commands[locales.Fold(word)]
	return command, strings.TrimSpace(rest), known
}

// next is where a command leads with what follows its word.
func (c Command) next(rest string) Next {
	if rest == "" && c.Bare != "" {
		return Go(c.Bare)
	}
	if c.Arg == "" {
		return Go(c.Node)
	}
	return Go(c.Node, c.Arg, rest)
}
