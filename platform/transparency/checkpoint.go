package transparency

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint says that a checkpoint is none, or is not signed by who should have.
var ErrCheckpoint = errors.New("this is no checkpoint of that log")

// ErrHistory says that a checkpoint was signed of another history than the tree has now:
// the database is an earlier copy, or was rewritten.
var ErrHistory = errors.New("a checkpoint of another history was signed")

// Checkpoint is a tree as it was at one size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note
}

// Checkpoint signs the tree as it is now.
func (t *Tree) Checkpoint(ctx context.Context) (Checkpoint, error) {
	c := Checkpoint{Origin: t.origin}
	err := t.db.Snapshot(ctx, func(tx *sql.Tx) (err error) {
		if c.Size, err = t.Size(ctx, tx); err != nil {
			return err
		}
		c.Root, err = tlog.TreeHash(c.Size, reader(ctx, tx, t.name, nil))
		return err
	})
	if err != nil {
		return c, fmt.Errorf("make a checkpoint of the tree %s: %w", t.name, err)
	}
	if c.Note, err = note.Sign(&note.Note{Text: c.text()}, t.signer); err != nil {
		return c, fmt.Errorf("sign a checkpoint of the tree %s: %w", t.name, err)
	}
	return c, nil
}

// text is what is signed (c2sp.org/tlog-checkpoint).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads a signed note and checks that the log whose verifier key is
// given signed it. An error wraps [ErrCheckpoint].
func ParseCheckpoint(signed []byte, verifierKey string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the verifier key: %w: %w", err, ErrCheckpoint)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", err, ErrCheckpoint)
	}
	c, err := parse(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != verifier.Name() {
		return Checkpoint{}, fmt.Errorf("its origin is %s, not %s: %w", c.Origin, verifier.Name(), ErrCheckpoint)
	}
	c.Note = signed
	return c, nil
}

// parse reads what is signed; lines after the third are extensions, which say nothing
// to us.
func parse(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, fmt.Errorf("it has %d lines: %w", len(lines)-1, ErrCheckpoint)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("%q is no size: %w", lines[1], ErrCheckpoint)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%q is no hash: %w", lines[2], ErrCheckpoint)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// signerKey is a seed as package note writes signers' keys; the hash is that of the
// verifier key, "name+hash+key".
func signerKey(verifier string, seed []byte) string {
	name, rest, _ := strings.Cut(verifier, "+")
	hash, _, _ := strings.Cut(rest, "+")
	const ed25519 = 1 // the algorithm's number in a signed note's keys
	return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{ed25519}, seed...)))
}

// Root is the root of a tree that is built leaf by leaf in memory, with which a
// checkpoint is compared: as many hashes as the size has digits in base two.
type Root struct {
	size  int64
	peaks []tlog.Hash // of the full subtrees, the largest first
}

// Add adds the next leaf.
func (r *Root) Add(leaf []byte) {
	hash := tlog.RecordHash(leaf)
	for n := r.size; n&1 == 1; n >>= 1 {
		hash = tlog.NodeHash(r.peaks[len(r.peaks)-1], hash)
		r.peaks = r.peaks[:len(r.peaks)-1]
	}
	r.peaks = append(r.peaks, hash)
	r.size++
}

// Size is how many leaves were added.
func (r *Root) Size() int64 { return r.size }

// Hash is the root of what was added.
func (r *Root) Hash() tlog.Hash {
	if len(r.peaks) == 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing, so nothing can fail
		return empty
	}
	hash := r.peaks[len(r.peaks)-1]
	for i := len(r.peaks) - 2; i >= 0; i-- {
		hash = tlog.NodeHash(r.peaks[i], hash)
	}
	return hash
}

// Continues reports whether the tree continues an earlier checkpoint of it: nil, or an
// error that wraps [ErrHistory].
func (t *Tree) Continues(ctx context.Context, earlier, now Checkpoint) error {
	if earlier.Size > now.Size {
		return fmt.Errorf("a checkpoint of %d leaves was signed, the tree %s has %d: %w", earlier.Size, t.name, now.Size, ErrHistory)
	}
	if earlier.Size == now.Size {
		if earlier.Root != now.Root {
			return fmt.Errorf("another checkpoint of %d leaves was signed: %w", now.Size, ErrHistory)
		}
		return nil
	}
	if earlier.Size == 0 {
		return nil
	}
	proof, err := t.Consistency(ctx, earlier.Size, now.Size)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, now.Size, now.Root, earlier.Size, earlier.Root); err != nil {
		return fmt.Errorf("the checkpoint of %d leaves is not continued: %w: %w", earlier.Size, err, ErrHistory)
	}
	return nil
}
