package session

import (
	"context"
	"errors"
	"time"
)

// Record is what a Store keeps for one session: opaque bytes with a version.
type Record struct {
	// Version is 0 for no record; every Save raises it.
	Version int64
	// Expires is when the conversation is over unless it goes on. A store keeps a record
	// for Grace longer, so that the conversation can be counted as abandoned.
	Expires time.Time
	Data    []byte
}

// Entry is a record with its key.
type Entry struct {
	Key string
	Record
}

// Grace is how long a store keeps an expired record for Expired to find. A
// sweep that comes later than that misses it.
const Grace = time.Hour

// ErrConflict reports that the record changed since it was loaded.
var ErrConflict = errors.New("the session was changed by another request")

// Store keeps records by key; keys are digests, never a phone or a session id.
// A Store is safe for concurrent use.
type Store interface {
	// Load gives the record, also an expired one, or one with Version 0 when
	// there is none. The caller must not change its Data.
	Load(ctx context.Context, key string) (Record, error)
	// Save puts rec if the stored version is still expect (0: no record), and
	// fails with ErrConflict otherwise. rec.Version is the new version.
	Save(ctx context.Context, key string, rec Record, expect int64) error
	// Replace is Save for a caller who remembers the stored version and has not loaded
	// it now: where the store cannot tell what is stored, it fails.
	Replace(ctx context.Context, key string, rec Record, expect int64) error
	// Delete removes the record if its version is expect and reports whether it
	// did.
	Delete(ctx context.Context, key string, expect int64) (bool, error)
	// Expired lists up to limit records, or somewhat more, that expired before
	// the moment given.
	Expired(ctx context.Context, before time.Time, limit int) ([]Entry, error)
}
