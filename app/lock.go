package app

import (
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockData keeps a second server off the data folder: two would share one SQLite
// file, one sandbox and one wallet, and each would undo what the other knows. The
// lock is the system's own, so a killed server leaves none behind. In production
// the folder holds nothing, and any number of servers share one PostgreSQL.
func lockData(config *Config) (unlock func(), err error) {
	if config.production() {
		return func() {}, nil
	}
	path := filepath.Join(config.Data, "serve.lock")
	lock := flock.New(path)
	ours, err := lock.TryLock()
	if err != nil {
		return nil, UsageError{fmt.Errorf("cannot lock the data folder %s: %w", config.Data, err)}
	}
	if !ours {
		return nil, UsageError{fmt.Errorf("another server works on the data folder %s: stop it, or choose another folder with --data", config.Data)}
	}
	return func() { _ = lock.Unlock() }, nil
}
