package transparency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Keeper keeps a tree's checkpoints outside of the database: in a folder, and with a
// witness.
type Keeper struct {
	Tree    *Tree
	Folder  string   // it is made
	Witness *Witness // nil: there is none
	Now     func() time.Time
}

// latest is the newest checkpoint's file in the folder; each is also kept under its day
// and size.
const latest = "latest.note"

// Keep signs the tree as it is, writes the checkpoint down and has it cosigned. Nothing
// is signed that does not continue the last one in the folder: the error then wraps
// [ErrHistory]. Where only the witness failed, the checkpoint is kept without it.
func (k *Keeper) Keep(ctx context.Context) (Checkpoint, error) {
	c, err := k.Tree.Checkpoint(ctx)
	if err != nil {
		return c, err
	}
	last, err := k.Latest()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return c, err
	default:
		if err := k.Tree.Continues(ctx, last, c); err != nil {
			return c, err
		}
		if last.Size == c.Size {
			c = last // perhaps cosigned already
		}
	}
	if k.Witness == nil || k.Witness.Cosigned(c) {
		return c, k.write(c, last)
	}
	cosigned, err := k.Witness.Cosign(ctx, k.Tree, c)
	if err != nil {
		err = fmt.Errorf("have a checkpoint cosigned by %s: %w", k.Witness.Name(), err)
	}
	return cosigned, errors.Join(k.write(cosigned, last), err)
}

// Latest is the newest checkpoint in the folder; the error wraps [fs.ErrNotExist] where
// there is none.
func (k *Keeper) Latest() (Checkpoint, error) {
	signed, err := os.ReadFile(filepath.Join(k.Folder, latest))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the last checkpoint: %w", err)
	}
	c, err := ParseCheckpoint(signed, k.Tree.Verifier())
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%s: %w", filepath.Join(k.Folder, latest), err)
	}
	return c, nil
}

// write keeps a checkpoint, unless it is the last one.
func (k *Keeper) write(c, last Checkpoint) error {
	if bytes.Equal(c.Note, last.Note) {
		return nil
	}
	today := filepath.Join(k.Folder, k.Now().UTC().Format(time.DateOnly))
	if err := os.MkdirAll(today, 0o700); err != nil {
		return fmt.Errorf("make the folder of checkpoints: %w", err)
	}
	for _, path := range []string{filepath.Join(today, fmt.Sprintf("%012d.note", c.Size)), filepath.Join(k.Folder, latest)} {
		if err := replace(path, c.Note); err != nil {
			return fmt.Errorf("write a checkpoint down: %w", err)
		}
	}
	return nil
}

// unfinished begins the name of a checkpoint's file while it is written: digits follow,
// see [os.CreateTemp].
const unfinished = ".note"

// Tidy removes the files that a killed server had not finished, and no others. Where another
// server writes one to the same folder right now, that one fails, and keeps its checkpoint
// again at its next turn.
func (k *Keeper) Tidy() error {
	var faults []error
	for _, in := range []string{"", day + "/"} {
		left, err := fs.Glob(os.DirFS(k.Folder), in+unfinished+"[0-9]*")
		faults = append(faults, err)
		for _, name := range left {
			if digits := strings.TrimPrefix(path.Base(name), unfinished); strings.Trim(digits, "0123456789") != "" {
				continue
			}
			if err := os.Remove(filepath.Join(k.Folder, filepath.FromSlash(name))); !errors.Is(err, fs.ErrNotExist) {
				faults = append(faults, err)
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("tidy the folder of checkpoints: %w", err)
	}
	return nil
}

// day is what the folders of days are called, see [time.DateOnly].
const day = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"

// replace puts a whole file in the place of another, also where we are killed.
func replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
