// Package personal is what the parts of the program say of the personal data that they
// keep: each gives a person what it keeps of them, says what it may not erase, and erases
// the rest. A part that is added joins by being a Holder.
package personal

import (
	"context"
	"errors"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
)

// Most is how many records a part gives of one person at most, the newest first.
const Most = 500

// ErrNotYet is an Erase's answer while the part is doing something for the person: what it
// does would come after the erasure. It is over within minutes.
var ErrNotYet = errors.New("something is being done for the person")

// Person is whose data it is.
type Person struct {
	ID    string // the pseudonym
	Phone string // E.164: the phone that asks, or asked for the erasure
	Now   time.Time
	// KeepNumber says that some part keeps what the person has to be known for: see Kept.
	KeepNumber bool
}

// Holder is a part that keeps personal data. Its methods take part in a transaction.
type Holder interface {
	// Export gives what is kept of the person, Most records at most: never what is
	// another's.
	Export(ctx context.Context, tx *store.Tx, p Person) ([]Record, error)
	// Keeps says what Erase would leave, and why.
	Keeps(ctx context.Context, tx *store.Tx, p Person) ([]Kept, error)
	// Erase erases all else, once and for good, and leaves a record of it.
	Erase(ctx context.Context, tx *store.Tx, p Person) error
}

// Record is one thing that is kept.
type Record struct {
	// Kind is a word for programs; "kept.<kind>" is its title in the locale files.
	Kind   string
	Fields []Field
}

// Field is one value of a record.
type Field struct {
	// Name is a word for programs; "kept.field.<name>" is its label in the locale files.
	Name  string
	Value string
	// At is the value of a moment; it has no Value.
	At time.Time
	// Key names the text that says Value to people; empty: Value does itself.
	Key string
}

// Text is a field of a text.
func Text(name, value string) Field { return Field{Name: name, Value: value} }

// Moment is a field of a moment.
func Moment(name string, at time.Time) Field { return Field{Name: name, At: at} }

// Word is a field of a word for programs, which the text key says to people.
func Word(name, value, key string) Field { return Field{Name: name, Value: value, Key: key} }

// Empty reports that the field has no value.
func (f Field) Empty() bool { return f.Value == "" && f.At.IsZero() }

// Kept is what an erasure leaves.
type Kept struct {
	// Key names the text that says what it is, and why it must stay.
	Key string
	// Until is when it may go; zero: not while it is needed.
	Until time.Time
	// NeedsPerson says that whose it is has to be known until then.
	NeedsPerson bool
}

// Holders are the parts that keep personal data, by name, in the order in which they
// erase it.
type Holders struct{ all []Named }

// Named is a part with the name of its folder.
type Named struct {
	Name string
	Holder
}

// Add adds a part. Call it before anything is served.
func (h *Holders) Add(name string, part Holder) { h.all = append(h.all, Named{name, part}) }

// All lists them.
func (h *Holders) All() []Named { return h.all }
