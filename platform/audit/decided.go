package audit

import (
	"cmp"
	"encoding/hex"
	"iter"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// A record of a step that decides something (a sum, a bill, a place in a queue)
// carries a keyed digest of it for each group of fields. Whoever can write to the
// database but lacks the master key can then not change a row and its record alike,
// however consistently all tables are changed. The fields themselves are not in the
// record, and equal ones of two objects have unrelated digests.
//
// The column reads "1 bills=<32 hex digits> payer=<32 hex digits>". Its first word is
// the version of the encoding: of the fields' too, so that who reads a record of
// another version knows that it cannot compare.
//
// A row that was changed before a step of ours would be what the step's record says from
// then on. So a step that changes a row says what it read, too: "2 child=<hex>
// place=<hex>:<hex> offer=<hex>:" is of a step that found the child as it left it, made the
// second place the first, and found no offer. What it found must be what the record before says.

// The first words of what a record decided.
const (
	decidedVersion   = "1"
	followingVersion = "2" // it says what it found, too
)

// decidedPurpose is that of the digests, of either version.
const decidedPurpose = "audit.decided." + decidedVersion

// Group is a group of the fields that a step decided. The order in which they are
// added is part of its encoding: whoever compares adds the same fields likewise, and
// puts how many there are before those of a list.
type Group struct {
	name   string // letters only
	of     string // the object; empty: the record's
	none   bool
	text   []byte
	sealed []sealedAt
}

// sealedAt is a sealed value, and where in the text it stands.
type sealedAt struct {
	at    int
	value []byte
}

// Decided begins a group; the name is of letters only and stands in fsck's findings.
func Decided(name string) *Group { return &Group{name: name} }

// None is, in Entry.Was, that there was no row of a group's name.
func None(name string) *Group { return &Group{name: name, none: true} }

// Of makes it a group of another object's fields than the record's: what several kinds of
// records say of one row can be compared only if all say it of the row.
func (g *Group) Of(object string) *Group {
	g.of = object
	return g
}

// Name is the group's name.
func (g *Group) Name() string { return g.name }

// Text adds texts.
func (g *Group) Text(values ...string) *Group {
	for _, v := range values {
		g.text = append(strconv.AppendInt(g.text, int64(len(v)), 10), ':')
		g.text = append(g.text, v...)
	}
	return g
}

// Sealed adds columns of sealed bytes, each as it was sealed first: a value that is sealed
// anew, by another key, decides the same. NULL is as an empty one.
func (g *Group) Sealed(values ...[]byte) *Group {
	for _, v := range values {
		g.sealed = append(g.sealed, sealedAt{at: len(g.text), value: v})
	}
	return g
}

// Number adds numbers.
func (g *Group) Number(values ...int64) *Group {
	for _, v := range values {
		g.text = append(strconv.AppendInt(append(g.text, '#'), v, 10), ';')
	}
	return g
}

// Moment adds moments, to the microsecond.
func (g *Group) Moment(values ...dbtime.Time) *Group {
	for _, v := range values {
		if v.IsZero() {
			g.text = append(g.text, '-')
			continue
		}
		g.Number(v.UnixMicro())
	}
	return g
}

// digest is half of an HMAC-SHA256.
type digest [16]byte

// digest of what a step decided of an object.
func (l *Log) digest(object string, g *Group) (d digest) {
	whole := l.hasher.Index(decidedPurpose, joined(cmp.Or(g.of, object), g.name)+string(l.encoded(g)))
	_, _ = hex.Decode(d[:], []byte(whole[:2*len(d)])) // Index gives hexadecimal
	return d
}

// encoded is the text of a group with its sealed values in it. One that cannot be opened
// stands there as it is, and fits no record.
func (l *Log) encoded(g *Group) []byte {
	if len(g.sealed) == 0 {
		return g.text
	}
	var out []byte
	done := 0
	for _, v := range g.sealed {
		first, err := l.hasher.First(v.value)
		if err != nil {
			first = v.value
		}
		out = append(out, g.text[done:v.at]...)
		out = append(append(strconv.AppendInt(out, int64(len(first)), 10), ':'), first...)
		done = v.at
	}
	return append(out, g.text[done:]...)
}

// decided is the column of a record.
func (l *Log) decided(e Entry) string {
	if len(e.Decided) == 0 {
		return ""
	}
	text := decidedVersion
	if e.Was != nil {
		text = followingVersion
	}
	for _, g := range e.Decided {
		d := l.digest(e.Object, g)
		text += " " + g.name + "=" + hex.EncodeToString(d[:])
		for _, w := range e.Was {
			if w.name != g.name {
				continue
			}
			if was := l.digest(e.Object, w); w.none {
				text += ":"
			} else if was != d {
				text += ":" + hex.EncodeToString(was[:])
			}
		}
	}
	return text
}

// Recorded is an entry as the log holds it: without what it decided, of which there
// are digests only.
type Recorded struct {
	Entry
	ID      string
	decided string
}

// Said is what a record says of a group of fields. The zero Said is of none.
type Said struct {
	record uuid.UUID
	digest digest
}

// Compares reports that the record says what its step decided, in a version that
// can be compared.
func (r Recorded) Compares() bool {
	version, _, some := strings.Cut(r.decided, " ")
	return some && (version == decidedVersion || version == followingVersion)
}

// words are what the record says of each group: what it became and, where the step changed
// it and says so, ":" and what it was.
func (r Recorded) words() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if !r.Compares() {
			return
		}
		_, words, _ := strings.Cut(r.decided, " ")
		for word := range strings.SplitSeq(words, " ") {
			if group, value, _ := strings.Cut(word, "="); !yield(group, value) {
				return
			}
		}
	}
}

// Says gives what the record says of each group; nothing where it cannot be compared.
func (r Recorded) Says() iter.Seq2[string, Said] {
	return func(yield func(string, Said) bool) {
		id, err := uuid.Parse(r.ID)
		if err != nil {
			return
		}
		for group, value := range r.words() {
			became, _, _ := strings.Cut(value, ":")
			if !yield(group, Said{record: id, digest: undigested(became)}) {
				return
			}
		}
	}
}

// Follows reports that what the record's step found of a group is what the record before
// says of it. Where either says nothing of it, nothing is known to be wrong.
func (r Recorded) Follows(name string, before Said) bool {
	if !before.Known() || !strings.HasPrefix(r.decided, followingVersion+" ") {
		return true
	}
	for group, value := range r.words() {
		if group == name {
			became, was, changed := strings.Cut(value, ":")
			if !changed {
				was = became
			}
			return undigested(was) == before.digest
		}
	}
	return true
}

// undigested reads a digest; of anything else the zero digest, which fits no row.
func undigested(text string) (d digest) {
	if len(text) == 2*len(d) {
		if _, err := hex.Decode(d[:], []byte(text)); err != nil {
			return digest{}
		}
	}
	return d
}

// Record is the id of the record that said so.
func (s Said) Record() string { return s.record.String() }

// Known reports that s is of a record.
func (s Said) Known() bool { return s.record != uuid.Nil }

// Same reports that two records say the same.
func (s Said) Same(other Said) bool { return s.digest == other.digest }

// Fits reports that a group of an object's fields is what a record said of it.
func (l *Log) Fits(s Said, object string, g *Group) bool { return l.digest(object, g) == s.digest }
