package audit

import (
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

// decidedVersion is the first word of what a record decided.
const decidedVersion = "1"

// decidedPurpose is that of the digests.
const decidedPurpose = "audit.decided." + decidedVersion

// Group is a group of the fields that a step decided. The order in which they are
// added is part of its encoding: whoever compares adds the same fields likewise, and
// puts how many there are before those of a list.
type Group struct {
	name string // letters only
	text []byte
}

// Decided begins a group; the name is of letters only and stands in fsck's findings.
func Decided(name string) *Group { return &Group{name: name} }

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

// Bytes adds columns of bytes; NULL is as an empty one.
func (g *Group) Bytes(values ...[]byte) *Group {
	for _, v := range values {
		g.text = append(strconv.AppendInt(g.text, int64(len(v)), 10), ':')
		g.text = append(g.text, v...)
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
	whole := l.hasher.Index(decidedPurpose, joined(object, g.name)+string(g.text))
	_, _ = hex.Decode(d[:], []byte(whole[:2*len(d)])) // Index gives hexadecimal
	return d
}

// decided is the column of a record.
func (l *Log) decided(e Entry) string {
	if len(e.Decided) == 0 {
		return ""
	}
	text := decidedVersion
	for _, g := range e.Decided {
		d := l.digest(e.Object, g)
		text += " " + g.name + "=" + hex.EncodeToString(d[:])
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
func (r Recorded) Compares() bool { return strings.HasPrefix(r.decided, decidedVersion+" ") }

// Says gives what the record says of each group; nothing where it cannot be compared.
func (r Recorded) Says() iter.Seq2[string, Said] {
	return func(yield func(string, Said) bool) {
		id, err := uuid.Parse(r.ID)
		if err != nil || !r.Compares() {
			return
		}
		for word := range strings.SplitSeq(r.decided[len(decidedVersion)+1:], " ") {
			group, value, _ := strings.Cut(word, "=")
			if !yield(group, Said{record: id, digest: undigested(value)}) {
				return
			}
		}
	}
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
