package transparency_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/transparency"
)

// Checkpoints are kept in a folder and by a witness; one that could not be cosigned is,
// later; a restored copy of the database gets none.
func TestKeeping(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		w, outside, _ := witnessed(t, tree)
		folder := filepath.Join(t.TempDir(), "checkpoints")
		k := &transparency.Keeper{Tree: tree, Folder: folder, Now: func() time.Time { return time.Date(2026, 11, 29, 1, 0, 0, 0, time.UTC) }}
		keep := func(size int64) transparency.Checkpoint {
			t.Helper()
			c, err := k.Keep(t.Context())
			if err != nil || c.Size != size {
				t.Fatalf("kept %d leaves, %v; want %d", c.Size, err, size)
			}
			return c
		}
		keep(0)
		if err := grow(t.Context(), db, tree, 0, leaves(0, 4)); err != nil {
			t.Fatal(err)
		}
		keep(4)
		k.Witness = w
		if c := keep(4); !w.Cosigned(c) || outside.Newest() != 4 {
			t.Error("the checkpoint that had no witness was not cosigned")
		}
		written, err := os.ReadFile(filepath.Join(folder, "2026-11-29", "000000000004.note"))
		if err != nil {
			t.Fatal(err)
		}
		if last, err := k.Latest(); err != nil || string(last.Note) != string(written) || !w.Cosigned(last) {
			t.Errorf("the last one is %+v, %v", last, err)
		}
		if _, err := db.Writer().Exec("UPDATE transparency_trees SET size = 2"); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Keep(t.Context()); !errors.Is(err, transparency.ErrHistory) {
			t.Errorf("an earlier copy: %v", err)
		}
		if _, err := db.Writer().Exec("DELETE FROM transparency_hashes WHERE idx >= 3"); err != nil { // of the third leaf on
			t.Fatal(err)
		}
		for _, with := range [][][]byte{leaves(70, 2), leaves(80, 3)} {
			size, err := tree.Size(t.Context(), db.Reader())
			if err != nil {
				t.Fatal(err)
			}
			if err := grow(t.Context(), db, tree, size, with); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Keep(t.Context()); !errors.Is(err, transparency.ErrHistory) {
				t.Errorf("another history: %v", err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, "latest.note"), []byte("rubbish"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Keep(t.Context()); !errors.Is(err, transparency.ErrCheckpoint) {
			t.Errorf("with rubbish in the folder: %v", err)
		}
	})
}

// What a killed server had not finished is removed, in every day's folder; what has another
// name, and the checkpoints, stay.
func TestTidy(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "[odd] checkpoints")
	k := &transparency.Keeper{Folder: folder}
	if err := k.Tidy(); err != nil {
		t.Errorf("without a folder: %v", err)
	}
	files := map[string]bool{ // and whether they stay
		".note123456": false, "2026-11-28/.note9": false, "2026-11-29/.note3141592653": false,
		"latest.note": true, "2026-11-29/000000000004.note": true, ".note": true, ".notes1": true, ".note1.txt": true, ".note12a": true,
		"elsewhere/.note123456": true, "2026-11-29/deeper/.note5": true, "note1": true,
	}
	for name := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Tidy(); err != nil {
		t.Fatal(err)
	}
	for name, stays := range files {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil != stays {
			t.Errorf("%s: %v; it stays: %v", name, err, stays)
		}
	}
}
