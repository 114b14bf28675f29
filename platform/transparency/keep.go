package transparency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	day := filepath.Join(k.Folder, k.Now().UTC().Format(time.DateOnly))
	if err := os.MkdirAll(day, 0o700); err != nil {
		return fmt.Errorf("make the folder of checkpoints: %w", err)
	}
	for _, path := range []string{filepath.Join(day, fmt.Sprintf("%012d.note", c.Size)), filepath.Join(k.Folder, latest)} {
		if err := replace(path, c.Note); err != nil {
			return fmt.Errorf("write a checkpoint down: %w", err)
		}
	}
	return nil
}

// replace puts a whole file in the place of another, also where we are killed.
func replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".note*")
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
