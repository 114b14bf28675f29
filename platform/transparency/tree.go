// Package transparency keeps append-only Merkle trees (RFC 6962, section 2.1) and signs
// checkpoints of them as signed notes (c2sp.org/tlog-checkpoint). Whoever has a
// checkpoint and the public key can tell, without any secret of ours, whether what is
// shown later is what was there then; witnesses that cosign them
// (c2sp.org/tlog-witness) make it impossible to show two people two histories.
package transparency

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/transparency/db"
)

// ErrOrigin says that a tree's checkpoints bear another origin. It is fixed when the
// tree is begun: checkpoints of two origins are of two logs to everybody who checks them.
var ErrOrigin = errors.New("the origin of a log cannot be changed")

// ErrNoOrigin says that a tree is to be begun and no origin was given.
var ErrNoOrigin = errors.New("a log that is begun needs an origin")

// ErrOvertaken says that others appended first: read the size again.
var ErrOvertaken = errors.New("another process appended to the tree")

// Deps is what a tree is made from.
type Deps struct {
	DB     *store.DB
	Sealer *seal.Sealer
	Random io.Reader
	Now    func() time.Time
}

// Tree is a tree in the database with the key that signs its checkpoints. It is safe
// for concurrent use, also by many processes.
type Tree struct {
	db       *store.DB
	name     string
	origin   string
	signer   note.Signer
	verifier string
}

// Open opens the tree with a name, and begins it where there is none yet. Origin is a
// URL without its scheme, such as "eshik.example.kg/audit"; empty is whatever the tree
// has.
func Open(ctx context.Context, deps Deps, name, origin string) (*Tree, error) {
	row, err := db.New(deps.DB.Reader()).Tree(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		if row, err = begin(ctx, deps, name, origin); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the tree %s: %w", name, err)
	}
	if origin != "" && origin != row.Origin {
		return nil, fmt.Errorf("%w: that of the %s log is %s, not %s", ErrOrigin, name, row.Origin, origin)
	}
	seed, err := deps.Sealer.Open(row.KeySealed, keyContext(name))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("open the key of the tree %s: is this the master key of this database? %w", name, err)
	}
	t := &Tree{db: deps.DB, name: name, origin: row.Origin}
	t.signer, t.verifier, err = keys(row.Origin, seed)
	return t, err
}

func begin(ctx context.Context, deps Deps, name, origin string) (db.TransparencyTree, error) {
	if origin == "" {
		return db.TransparencyTree{}, ErrNoOrigin
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(deps.Random, seed); err != nil {
		return db.TransparencyTree{}, fmt.Errorf("make the key of the tree %s: %w", name, err)
	}
	sealed, err := deps.Sealer.Seal(seed, keyContext(name))
	if err != nil {
		return db.TransparencyTree{}, fmt.Errorf("seal the key of the tree %s: %w", name, err)
	}
	var row db.TransparencyTree
	err = deps.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if _, err := q.Begin(ctx, db.BeginParams{Name: name, Origin: origin, KeySealed: sealed, MadeAt: dbtime.From(deps.Now())}); err != nil {
			return err
		}
		row, err = q.Tree(ctx, name) // ours, or that of a process that began it at once
		return err
	})
	if err != nil {
		return row, fmt.Errorf("begin the tree %s: %w", name, err)
	}
	return row, nil
}

func keyContext(name string) string { return "transparency.key." + name }

// keys makes the signer of a seed, and its verifier key as others write it down.
func keys(origin string, seed []byte) (note.Signer, string, error) {
	private := ed25519.NewKeyFromSeed(seed)
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		return nil, "", errors.New("the key is none of Ed25519")
	}
	verifier, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, "", fmt.Errorf("the origin %q: %w", origin, err)
	}
	signer, err := note.NewSigner(signerKey(verifier, seed))
	if err != nil {
		return nil, "", fmt.Errorf("make the signer of %q: %w", origin, err)
	}
	return signer, verifier, nil
}

// Verifier is the public key of the tree's checkpoints, as a verifier key of
// c2sp.org/signed-note: "origin+hash+key".
func (t *Tree) Verifier() string { return t.verifier }

// Size is how many leaves the tree has.
func (t *Tree) Size(ctx context.Context, in db.DBTX) (int64, error) {
	row, err := db.New(in).Tree(ctx, t.name)
	if err != nil {
		return 0, fmt.Errorf("read the size of the tree %s: %w", t.name, err)
	}
	return row.Size, nil
}

// Append adds leaves behind the first size ones, in the caller's transaction.
// [ErrOvertaken]: the tree has another size by now.
func (t *Tree) Append(ctx context.Context, tx *store.Tx, size int64, leaves [][]byte) error {
	q := db.New(tx)
	grown, err := q.Grow(ctx, db.GrowParams{Size: size + int64(len(leaves)), Name: t.name, Size_2: size})
	if err != nil {
		return fmt.Errorf("grow the tree %s: %w", t.name, err)
	}
	if grown == 0 {
		return ErrOvertaken
	}
	added := map[int64]tlog.Hash{}
	read := reader(ctx, tx, t.name, added)
	var rows [][]any
	for i, leaf := range leaves {
		n := size + int64(i)
		hashes, err := tlog.StoredHashes(n, leaf, read)
		if err != nil {
			return fmt.Errorf("hash leaf %d of the tree %s: %w", n, t.name, err)
		}
		first := tlog.StoredHashIndex(0, n)
		for j, hash := range hashes {
			added[first+int64(j)] = hash
			rows = append(rows, []any{t.name, first + int64(j), hash[:]})
		}
	}
	if _, err := tx.Each(ctx, "INSERT INTO transparency_hashes (tree, idx, hash) VALUES ($1, $2, $3)", rows); err != nil {
		return fmt.Errorf("store the hashes of the tree %s: %w", t.name, err)
	}
	return nil
}

// reader reads hashes by their index: those that were just made, then the stored ones.
func reader(ctx context.Context, in db.DBTX, name string, added map[int64]tlog.Hash) tlog.HashReader {
	q := db.New(in)
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hash, ok := added[index]
			if !ok {
				stored, err := q.Hash(ctx, db.HashParams{Tree: name, Idx: index})
				if err != nil || copy(hash[:], stored) != tlog.HashSize {
					return nil, fmt.Errorf("read hash %d: %w", index, err)
				}
			}
			hashes[i] = hash
		}
		return hashes, nil
	})
}

// Leaf is the hash that is stored of a leaf of the tree with a name, counted from
// nought.
func Leaf(ctx context.Context, in db.DBTX, name string, n int64) (tlog.Hash, error) {
	hashes, err := reader(ctx, in, name, nil).ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("leaf %d of the tree %s: %w", n, name, err)
	}
	return hashes[0], nil
}

// Consistency proves that the tree of the first size leaves is a beginning of the tree
// of the first larger ones (RFC 6962, section 2.1.2). It is empty from nought, and to
// the same size.
func (t *Tree) Consistency(ctx context.Context, size, larger int64) ([]tlog.Hash, error) {
	if size == 0 || size == larger {
		return nil, nil
	}
	var proof []tlog.Hash
	err := t.db.Snapshot(ctx, func(tx *sql.Tx) (err error) {
		proof, err = tlog.ProveTree(larger, size, reader(ctx, tx, t.name, nil))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove that the tree %s grew from %d to %d: %w", t.name, size, larger, err)
	}
	return proof, nil
}
