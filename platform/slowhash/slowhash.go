// Package slowhash keeps what people remember, passwords and secrets, so that whoever steals
// what is kept tries few of them in a second: argon2id, a bounded number at a time.
package slowhash

import (
	"context"
	"fmt"

	"github.com/alexedwards/argon2id"
)

// Hardness is what a text costs to try. Source: OWASP's Password Storage Cheat Sheet, the
// first line of argon2id.
var Hardness = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// atOnce is how many texts are tried at once: each takes 19 MiB and a core.
const atOnce = 2

// Longest is how much of a text is looked at, in bytes: hashing must not be made long.
const Longest = 256

// Hasher hashes texts and tries them, atOnce of them at a time.
type Hasher struct{ running chan struct{} }

// New makes a Hasher.
func New() Hasher { return Hasher{running: make(chan struct{}, atOnce)} }

// Hash is what is kept of a text.
func (h Hasher) Hash(ctx context.Context, text string) (hash string, err error) {
	err = h.turn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(text, Hardness)
		return err
	})
	return hash, err
}

// Fits compares a text with what is kept of one. One that is too long fits nothing.
func (h Hasher) Fits(ctx context.Context, text, hash string) (ok bool, err error) {
	if len(text) > Longest {
		text = ""
	}
	err = h.turn(ctx, func() (err error) {
		ok, err = argon2id.ComparePasswordAndHash(text, hash)
		return err
	})
	return ok, err
}

func (h Hasher) turn(ctx context.Context, do func() error) error {
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a slow hash: %w", ctx.Err())
	}
	if err := do(); err != nil {
		return fmt.Errorf("try a slow hash: %w", err)
	}
	return nil
}
