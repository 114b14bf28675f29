package transparency_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/transparency"
	"github.com/eshik-kg/eshik/sandbox"
)

const origin = "eshik.example.kg/audit"

func deps(t *testing.T, db *store.DB) transparency.Deps {
	t.Helper()
	return transparency.Deps{DB: db, Sealer: testworld.Sealer(t), Random: rand.Reader, Now: time.Now}
}

func open(t *testing.T, db *store.DB) *transparency.Tree {
	t.Helper()
	tree, err := transparency.Open(t.Context(), deps(t, db), "audit", origin)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// leaves are n leaves, the first of them at a place.
func leaves(at, n int) (all [][]byte) {
	for i := range n {
		all = append(all, fmt.Appendf(nil, "leaf %d", at+i))
	}
	return all
}

func grow(ctx context.Context, db *store.DB, tree *transparency.Tree, size int64, with [][]byte) error {
	return db.InTx(ctx, func(tx *store.Tx) error { return tree.Append(ctx, tx, size, with) })
}

// rootOf is the root of the first leaves, computed in memory.
func rootOf(n int) (root transparency.Root) {
	for _, leaf := range leaves(0, n) {
		root.Add(leaf)
	}
	return root
}

// A checkpoint says the root of what was appended, at every size, however it came in.
func TestCheckpointsOfEverySize(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		size := 0
		for _, step := range []int{0, 1, 1, 2, 3, 1, 7, 16, 33, 64, 1} {
			if err := grow(t.Context(), db, tree, int64(size), leaves(size, step)); err != nil {
				t.Fatal(err)
			}
			size += step
			c, err := tree.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			root := rootOf(size)
			read, err := transparency.ParseCheckpoint(c.Note, tree.Verifier())
			if err != nil || read.Size != int64(size) || read.Root != root.Hash() || read.Origin != origin {
				t.Errorf("at %d leaves the checkpoint is %+v (%v)", size, read, err)
			}
		}
		if again := open(t, db); again.Verifier() != tree.Verifier() {
			t.Error("opened again the tree has another key")
		}
		if _, err := transparency.Open(t.Context(), deps(t, db), "audit", "elsewhere.kg/audit"); !errors.Is(err, transparency.ErrOrigin) {
			t.Errorf("under another origin: %v", err)
		}
		if _, err := transparency.Open(t.Context(), deps(t, db), "audit", ""); err != nil {
			t.Errorf("whatever its origin: %v", err)
		}
	})
}

// Of many who append at once one does, and the others are told.
func TestAppendingAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		trees := [4]*transparency.Tree{}
		var group sync.WaitGroup
		for i := range trees {
			group.Go(func() { trees[i] = open(t, db) }) // begun by all at once
		}
		group.Wait()
		errs := [4]error{}
		for i, tree := range trees {
			group.Go(func() { errs[i] = grow(t.Context(), db, tree, 0, leaves(0, 5)) })
		}
		group.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !errors.Is(err, transparency.ErrOvertaken) {
				t.Error(err)
			}
		}
		c, err := trees[3].Checkpoint(t.Context())
		root := rootOf(5)
		if err != nil || done != 1 || c.Root != root.Hash() || trees[0].Verifier() != trees[3].Verifier() {
			t.Errorf("%d appended; the checkpoint is %+v, %v", done, c, err)
		}
	})
}

// What is no checkpoint, or another's, is refused.
func TestNoCheckpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		c, err := tree.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		skey, vkey, err := note.GenerateKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		good := string(c.Note)
		for name, bad := range map[string]string{
			"empty": "", "altered": strings.Replace(good, "\n0\n", "\n1\n", 1), "unsigned": good[:strings.Index(good, "\n—")+1],
		} {
			if _, err := transparency.ParseCheckpoint([]byte(bad), tree.Verifier()); !errors.Is(err, transparency.ErrCheckpoint) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := transparency.ParseCheckpoint(c.Note, vkey); !errors.Is(err, transparency.ErrCheckpoint) {
			t.Errorf("by another key of that name: %v", err)
		}
		for _, text := range []string{
			"x\n", origin + "\n1\n", origin + "\n-1\n" + empty + "\n", origin + "\n01\n" + empty + "\n", origin + "\n1\nAAAA\n", "other.kg\n1\n" + empty + "\n",
		} {
			signed, err := note.Sign(&note.Note{Text: text}, signer)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := transparency.ParseCheckpoint(signed, vkey); !errors.Is(err, transparency.ErrCheckpoint) {
				t.Errorf("%q: %v", text, err)
			}
		}
		signed, err := note.Sign(&note.Note{Text: origin + "\n12\n" + empty + "\nan extension\n"}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := transparency.ParseCheckpoint(signed, vkey); err != nil || c.Size != 12 {
			t.Errorf("with an extension: %+v, %v", c, err)
		}
	})
}

// empty is the hash of no leaf (RFC 6962: of the empty string).
const empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

// witnessed is a witness of a tree, and what it knows.
func witnessed(t *testing.T, tree *transparency.Tree) (*transparency.Witness, *sandbox.Witness, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example.kg/w1")
	if err != nil {
		t.Fatal(err)
	}
	outside, err := sandbox.NewWitness(tree.Verifier(), skey)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(outside)
	t.Cleanup(server.Close)
	w, err := transparency.NewWitness(server.URL+"/", vkey)
	if err != nil {
		t.Fatal(err)
	}
	return w, outside, server.URL
}

func cosign(t *testing.T, w *transparency.Witness, tree *transparency.Tree) (transparency.Checkpoint, error) {
	t.Helper()
	c, err := tree.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w.Cosign(t.Context(), tree, c)
}

// A witness cosigns what continues what it saw, also when we forgot what that was.
func TestWitness(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		w, outside, url := witnessed(t, tree)
		size := 0
		for _, step := range []int{0, 3, 0, 1, 20, 41} {
			if err := grow(t.Context(), db, tree, int64(size), leaves(size, step)); err != nil {
				t.Fatal(err)
			}
			size += step
			c, err := cosign(t, w, tree)
			if err != nil || !w.Cosigned(c) || outside.Newest() != int64(size) {
				t.Fatalf("at %d leaves: %v; the witness has %d\n%s", size, err, outside.Newest(), c.Note)
			}
			if _, err := transparency.ParseCheckpoint(c.Note, tree.Verifier()); err != nil {
				t.Errorf("with the cosignature it is no checkpoint: %v", err)
			}
		}
		if c, _ := tree.Checkpoint(t.Context()); w.Cosigned(c) {
			t.Error("without a cosignature it is taken for cosigned")
		}
		_, vkey, err := note.GenerateKey(rand.Reader, "witness.example.kg/w1")
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := transparency.NewWitness(url, vkey)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := cosign(t, stranger, tree); err == nil || stranger.Cosigned(c) {
			t.Error("a cosignature by an unknown key was taken")
		}
	})
}

// An earlier copy of the database, and another history, are found out.
func TestWitnessSawAnotherHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		w, _, _ := witnessed(t, tree)
		if err := grow(t.Context(), db, tree, 0, leaves(0, 9)); err != nil {
			t.Fatal(err)
		}
		if _, err := cosign(t, w, tree); err != nil {
			t.Fatal(err)
		}
		cut := func(size int) {
			t.Helper()
			for _, statement := range []string{
				fmt.Sprint("UPDATE transparency_trees SET size = ", size), fmt.Sprint("DELETE FROM transparency_hashes WHERE idx >= ", map[int]int{5: 8, 0: 0}[size]),
			} {
				if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
		}
		cut(5)
		if _, err := cosign(t, w, tree); !errors.Is(err, transparency.ErrWitness) || !strings.Contains(err.Error(), "9 records") {
			t.Errorf("an earlier copy: %v", err)
		}
		if err := grow(t.Context(), db, tree, 5, leaves(105, 4)); err != nil {
			t.Fatal(err)
		}
		if _, err := cosign(t, w, tree); !errors.Is(err, transparency.ErrWitness) {
			t.Errorf("another history of the same length: %v", err)
		}
		if err := grow(t.Context(), db, tree, 9, leaves(109, 4)); err != nil {
			t.Fatal(err)
		}
		if _, err := cosign(t, w, tree); !errors.Is(err, transparency.ErrWitness) {
			t.Errorf("a longer history: %v", err)
		}
		cut(0)
		if err := grow(t.Context(), db, tree, 0, leaves(0, 13)); err != nil {
			t.Fatal(err)
		}
		if _, err := cosign(t, w, tree); err != nil {
			t.Errorf("the true history, longer: %v", err)
		}
	})
}

// A witness that answers anything else is an error that says so, and none of another
// history.
func TestWitnessAnswersOddly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tree := open(t, db)
		_, vkey, err := note.GenerateKey(rand.Reader, "witness.example.kg/w1")
		if err != nil {
			t.Fatal(err)
		}
		for _, answer := range []func(http.ResponseWriter, *http.Request){
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
			func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "thank you") },
			func(http.ResponseWriter, *http.Request) {},
		} {
			server := httptest.NewServer(http.HandlerFunc(answer))
			w, err := transparency.NewWitness(server.URL, vkey)
			if err != nil {
				t.Fatal(err)
			}
			c, err := cosign(t, w, tree)
			if err == nil || errors.Is(err, transparency.ErrWitness) || w.Cosigned(c) {
				t.Errorf("said %v", err)
			}
			server.Close()
		}
		forever := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprintln(w, "0")
		}))
		defer forever.Close()
		w, err := transparency.NewWitness(forever.URL, vkey)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cosign(t, w, tree); err == nil {
			t.Error("a conflict without end is taken for a cosignature")
		}
	})
}
