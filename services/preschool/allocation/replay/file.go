// Package replay is the public file of a decided allocation, from which anybody computes it anew.
// It names no person: see docs/decisions/0060-replay-file.md for what it holds and why no more.
//
// The file is JSON Lines (jsonlines.org), UTF-8: a [Header], a [Group] for each age group, a [Row]
// for each child who asked, and a last line {"sha256":"…"}, the SHA-256 of every byte before that
// line, hexadecimal. The same allocation has the same bytes.
package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/eshik-kg/eshik/services/preschool/allocation"
)

// Format is what the first line says that the file is.
const Format = "eshik-preschool-replay/1"

// ErrFile says that a file is no such file, or not a whole one.
var ErrFile = errors.New("this is no whole replay file")

// Header is the first line.
type Header struct {
	Format     string `json:"format"`
	Allocation int64  `json:"allocation"`
	Decided    string `json:"decided"` // the day in Bishkek, 2026-11-27
	Intake     int    `json:"intake"`  // the year in which the groups begin
	// OpenEvery is [allocation.Market.OpenEvery].
	OpenEvery  int    `json:"open_every"`
	Commitment string `json:"commitment"` // SHA-256 of the seed, hexadecimal, published before
	Seed       string `json:"seed"`       // hexadecimal
	Groups     int    `json:"groups"`     // how many lines of groups follow,
	Children   int    `json:"children"`   // and then of children
}

// Group is an age group of a kindergarten that had a free seat which somebody asked for.
type Group struct {
	Group        int    `json:"group"` // from 0, what wishes name
	Kindergarten string `json:"kindergarten"`
	Age          int    `json:"age"` // 3 is the group 3-4
	Free         int    `json:"free"`
	// Taken are the seats that were held already; 0 where the rules have no open seats.
	Taken int `json:"taken,omitempty"`
}

// Row is a child who asked for a place.
type Row struct {
	// Lot decides between two of one order: the first 16 bytes, hexadecimal, of the HMAC-SHA256 of
	// the child's key by the seed. Who holds the key finds the row by it, and nobody else.
	Lot string `json:"lot"`
	// Order is the child's place among those of its age, benefits first and then the moment, from 1;
	// children of one benefit rank and one moment have one order.
	Order int `json:"order"`
	// Moment is the same by the moment alone; 0 where the rules have no open seats.
	Moment int `json:"moment,omitempty"`
	// Wishes are numbers of groups, the dearest first.
	Wishes []int `json:"wishes"`
	// Place is the group that the child was given; null: none.
	Place *int `json:"place"`
}

// last is the last line.
type last struct {
	SHA256 string `json:"sha256"`
}

// lotBytes is how much of a lot is written: enough that no two children have the same.
const lotBytes = 16

// Lot is the lot of a child, by its key, in an allocation with a seed.
func Lot(seed []byte, key string) string { return ShortLot(allocation.Tie(seed, key)) }

// ShortLot is a lot as it is written.
func ShortLot(tie [sha256.Size]byte) string { return hex.EncodeToString(tie[:lotBytes]) }

// File is a whole file.
type File struct {
	Header Header
	Groups []Group
	Rows   []Row
	// Digest is what the last line says, and Computed what it should.
	Digest, Computed string
}

// Write gives a file's bytes and its digest. The rows are written in the order of their lots: any
// other order would say in which children were registered.
func Write(h Header, groups []Group, rows []Row) (file []byte, digest string, err error) {
	h.Format, h.Groups, h.Children = Format, len(groups), len(rows)
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Lot, b.Lot) })
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	err = lines.Encode(h)
	for i := 0; err == nil && i < len(groups); i++ {
		err = lines.Encode(groups[i])
	}
	for i := 0; err == nil && i < len(rows); i++ {
		err = lines.Encode(rows[i])
	}
	if err == nil {
		digest = sum(out.Bytes())
		err = lines.Encode(last{SHA256: digest})
	}
	if err != nil {
		return nil, "", fmt.Errorf("write a replay file: %w", err)
	}
	return out.Bytes(), digest, nil
}

func sum(data []byte) string {
	all := sha256.Sum256(data)
	return hex.EncodeToString(all[:])
}

// Bounds of a file: far above any.
const (
	longestLine = 1 << 16
	mostLines   = 10_000_000
)

// Read reads a file. An error wraps [ErrFile] where it is no whole one; whether it is true is
// [Compare]'s matter.
func Read(in io.Reader) (f File, err error) {
	r := reader{lines: bufio.NewScanner(in), hash: sha256.New()}
	r.lines.Buffer(nil, longestLine)
	if err := r.line(&f.Header); err != nil {
		return f, err
	}
	if h := f.Header; h.Format != Format || h.Groups < 0 || h.Children < 0 || h.Groups > mostLines || h.Children > mostLines {
		return f, fmt.Errorf("the first line: %w", ErrFile)
	}
	for range f.Header.Groups {
		var g Group
		if err := r.line(&g); err != nil {
			return f, err
		}
		f.Groups = append(f.Groups, g)
	}
	for range f.Header.Children {
		var c Row
		if err := r.line(&c); err != nil {
			return f, err
		}
		f.Rows = append(f.Rows, c)
	}
	f.Computed = hex.EncodeToString(r.hash.Sum(nil))
	var end last
	if err := r.line(&end); err != nil {
		return f, err
	}
	f.Digest = end.SHA256
	if r.lines.Scan() {
		return f, fmt.Errorf("more lines than the first one says: %w", ErrFile)
	}
	return f, f.check()
}

// reader reads lines and sums them up.
type reader struct {
	lines *bufio.Scanner
	hash  interface {
		io.Writer
		Sum(b []byte) []byte
	}
	n int
}

// line reads the next line into a value, which must be all that it says.
func (r *reader) line(into any) error {
	r.n++
	if !r.lines.Scan() {
		return fmt.Errorf("it ends before the line %d: %w", r.n, errors.Join(ErrFile, r.lines.Err()))
	}
	text := r.lines.Bytes()
	_, _ = r.hash.Write(append(slices.Clone(text), '\n')) // never fails
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(into); err != nil {
		return fmt.Errorf("the line %d: %w", r.n, ErrFile)
	}
	if _, err := strict.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the line %d goes on: %w", r.n, ErrFile)
	}
	return nil
}

// check refuses numbers that name nothing.
func (f File) check() error {
	for i, g := range f.Groups {
		if g.Group != i {
			return fmt.Errorf("the group %d stands at %d: %w", g.Group, i, ErrFile)
		}
	}
	for i, c := range f.Rows {
		if lot, err := hex.DecodeString(c.Lot); err != nil || len(lot) != lotBytes {
			return fmt.Errorf("the lot of the row %d: %w", i, ErrFile)
		}
		if c.Place != nil && (*c.Place < 0 || *c.Place >= len(f.Groups)) {
			return fmt.Errorf("the place of the row %d: %w", i, ErrFile)
		}
	}
	if _, _, err := f.market(); err != nil {
		return err
	}
	return nil
}
