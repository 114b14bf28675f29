// Package dialog is the conversation state machine that USSD and SMS share. A
// service describes its conversation as Nodes; the Engine walks them, lays each
// screen out in the channel's budget, pages what is longer, and keeps the small
// State between turns. It knows no service, no channel and no clock.
package dialog

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
)

// Node is one step of a conversation. It has Plain or Show, and is a screen the
// citizen sees, or Do, and is an action between two screens.
type Node struct {
	// ID is stable, "service.step": it is kept in states and counted in
	// statistics.
	ID string
	// Plain makes the screen from the conversation alone: it asks nobody, so it neither
	// waits nor fails.
	Plain func(t *Turn) Screen
	// Show makes a screen for which somebody is asked. Both may run again for the
	// same turn (going back, an unknown choice): they must change nothing.
	Show func(ctx context.Context, t *Turn) (Screen, error)
	// Answer takes what was typed on a screen with an Ask and says where to go.
	// A *problem.Error is shown above the same screen, which asks again.
	Answer func(ctx context.Context, t *Turn, input string) (Next, error)
	// Do performs an effect and says where to go. It must be idempotent by a key
	// it finds in the conversation (t.Key(), or an id in its memory). A dialled string
	// (*1414*2*1#) never runs a Do: it stops at the screen before.
	Do func(ctx context.Context, t *Turn) (Next, error)
	// Resume is where a conversation goes first that broke off at this node and is
	// continued, perhaps by somebody else who holds the phone. A node that rests
	// on who was proved to be talking has the identification prove it again; the
	// zero Next shows the node.
	Resume Next
	// Sayings are what its screen is answered in words by SMS, beside the labels of its
	// options.
	Sayings []Saying
	// Menu says that nothing is begun at this screen: a conversation that breaks off here is
	// not worth continuing.
	Menu bool
}

// Saying is words that answer a screen ("жок", "кабыл алам"), and where they lead. They are
// found in all their forms, among polite words and greetings, and in a text that says nothing
// else.
type Saying struct {
	Words []string
	Next  Next
}

// Ask says what a screen asks the citizen to type. Input to Secret,
// PersonalNumber and DocumentNumber never reaches state, logs or stored
// transcripts.
type Ask string

// What can be asked for. A screen without an Ask is a menu or an end.
const (
	AskNothing        Ask = ""
	AskText           Ask = "text"            // anything, also words: a name, a street, a reason
	AskNumber         Ask = "number"          // what has a digit: a plate, a certificate's number
	AskSecret         Ask = "secret"          // one-time codes, secrets: digits
	AskPersonalNumber Ask = "personal_number" // 14 digits
	AskDocumentNumber Ask = "document_number"
)

// Sensitive reports input that must never be kept.
func (a Ask) Sensitive() bool {
	return a == AskSecret || a == AskPersonalNumber || a == AskDocumentNumber
}

// open reports a question whose answer may be typed once more on what it led to.
func (a Ask) open() bool { return a == AskText || a == AskNumber }

// Message is a sentence of the locale files with its arguments (name, value,
// name, value, …), or, where Key is empty, text from a registry as it is.
type Message struct {
	Key  string
	Args []any
	Text string
	// Kind says what Text is. Its longest value is declared as a placeholder's is.
	Kind string
}

// Say makes a message of a key.
func Say(key string, args ...any) Message { return Message{Key: key, Args: args} }

// Raw makes a message of text that is data: kind says what ("district",
// "kindergarten") and stands in locales/placeholders.toml with the longest value,
// so that screens can be proved to hold it. What a registry sends longer than that
// is paged. In the Latin script the text is transcribed like all else.
func Raw(kind, text string) Message { return Message{Kind: kind, Text: text} }

// Screen is what a citizen sees: it knows no channel, and the engine lays it
// out. Body paragraphs come first, then the options, numbered by the engine: from 1,
// on over the pages, without 9.
type Screen struct {
	Body    []Message
	Options []Option
	// Confirms has the options numbered on from all that were chosen in the conversation: no
	// key that led to a confirmation confirms it, so that a text that arrives twice, or late,
	// confirms nothing. Its label must be another too.
	Confirms bool
	Ask      Ask
	// About is the id of the person of whom the screen tells: a reply that took a while is
	// shown only where the phone is still proved for them. The conversation remembers it,
	// however the screen is left: see Turn.About. Empty: of nobody.
	About string
	// End closes the conversation after this screen if it is one page. Without it, a screen
	// that has neither options nor an Ask still offers the way back and the main menu.
	End bool
}

// Option is one numbered choice.
type Option struct {
	Label Message
	Next  Next
}

// Go moves to node; pairs (key, value, …) are put into the conversation's memory.
func Go(node string, pairs ...string) Next { return Next{Node: node, Set: pairMap(pairs)} }

// Call runs the sub-conversation at node (identification, say) and then goes to then.
func Call(node, then string, pairs ...string) Next {
	return Next{Node: node, Then: then, Set: pairMap(pairs)}
}

// Return ends a sub-conversation: the conversation goes on where its Call said.
func Return(pairs ...string) Next { return Next{Back: true, Set: pairMap(pairs)} }

// Done moves to node after an effect: "back" from there is the main menu.
func Done(node string, pairs ...string) Next {
	return Next{Node: node, Fresh: true, Set: pairMap(pairs)}
}

func pairMap(pairs []string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// Flow is one citizen service's part of the conversation.
type Flow struct {
	// Name is the folder's name: fine, certificate, preschool.
	Name string
	// Entry is the line in the main menu and the node it leads to. A service
	// without a label (identification) is reached by Call only.
	Entry Option
	Nodes []Node
	// Commands are the words that start this service by SMS. The label of Entry, and
	// those of the options of its screen if that is a plain one, are commands by
	// themselves.
	Commands []Command
	// Shapes are what a text holds that starts this service without any word: a
	// plate, a number.
	Shapes []Shape
	// Scan is what a camera reads from a code of the service, texted by SMS; nil: it has none.
	Scan *Scan
	// Hint says what a bare number looks like that starts nothing, and what is wrong
	// with it, if it may be meant for this service; nil: nothing does. It gets ASCII
	// digits.
	Hint func(number string) (Message, bool)
	// Told is what the service tells phones in messages that are answered with a word; nil:
	// nothing.
	Told *Told
	// Texted is the line of HELP that says which words are texted; zero: none.
	Texted Message
}

// Command is a word texted to start something: "АЙЫП 01KG123ABC". It is found in
// all its forms and spellings, among polite words, and in long words with a typo
// (see locales.Lexicon).
type Command struct {
	// Words are those that people are told of ("айып", "штраф"): they also leave a
	// question that is open.
	Words []string
	// Also are other words and phrases that mean the same ("айып пул", "гаи"). Where
	// something is asked they may be the answer.
	Also []string
	// Weak is a word of many meanings ("check", "pay"): it needs a text without words
	// that mean nothing, gives way to the words of other services, and among those of
	// its own service says more than they do ("check a certificate").
	Weak bool
	// Alone is a word that counts only where the text has no word of another command, also of
	// its own service ("место" is no more than a part of "место в очереди").
	Alone bool
	// AtOnce is a word that waits for nothing: it is acted on before the language is
	// chosen, and leaves any question, even one for a secret.
	AtOnce bool
	// Node is where the command leads. What follows the word is put into the conversation's
	// memory under Arg: of a service with Shapes the number in the text, if there is one.
	Node string
	Arg  string
	// Bare is the node when there is no number; empty: Node.
	Bare string
	// Ask is, instead of Node and Arg, the node whose question the number answers: what is refused there is asked for again. Empty: none.
	Ask string
	// Least is how many letters and digits a number has at least; what is shorter is
	// none.
	Least int

	// To, if set, is where the command leads in place of Node, whatever number follows.
	To Next

	// Digits, if set, is how many digits the number behind its word has. A shorter one
	// is meant only directly behind the word, and no time of day is.
	Digits int
	// Elsewhere are words that say that its word means something else here, unless the
	// text has another word of a command: "очередь в банк".
	Elsewhere []string

	service string
	numbers bool // of a service with Shapes
	latin   Next // in place of To when it is written in Latin letters
	formed  bool // found by a Shape, not by its word
	checked bool // found by a Shape with a check character
	several bool // the text holds other numbers too
	joined  bool // the text asks for something else too
}

// Shape is what says by its form what it is, wherever it stands in a text.
type Shape struct {
	// Read reads a piece of the text as people type it. With alone, nothing else is in
	// the text that means something else; without, it must be unmistakable.
	Read func(piece string, alone bool) (value string, ok bool)
	// Ask is the node whose question it answers.
	Ask string
	// Checked: it has a check character, so that what fits is this and nothing else: no
	// word of a command, and nothing that must not be kept, whatever parts of it look like.
	Checked bool
}

// Scan is a text that nobody wrote: what a camera read. It is taken as it came, however long,
// on every screen and in any language, and none of it is kept.
type Scan struct {
	// Is reports such a text by its form.
	Is func(text string) bool
	// Read says where it leads. A *problem.Error is shown on a screen of its own.
	Read func(ctx context.Context, t *Turn, text string) (Next, error)
}

// Turn is one turn of a conversation as a node sees it.
type Turn struct {
	Caller caller.Caller
	state  *State
}

// Get reads the conversation's memory; "" when absent.
func (t *Turn) Get(key string) string { return t.state.Memory[key] }

// About is State.About.
func (t *Turn) About() string { return t.state.About() }

// Set writes the conversation's memory: ids and choices, never anything sensitive. It
// takes effect when the turn is saved.
func (t *Turn) Set(key, value string) { t.state.set(key, value) }

// SetRegion notes which region the conversation is about, for statistics; it holds until
// the main menu.
func (t *Turn) SetRegion(iso string) { t.state.Region = iso }

// Key identifies this turn for good; a retry has the same. It keys effects.
func (t *Turn) Key() string { return t.Caller.Key }
