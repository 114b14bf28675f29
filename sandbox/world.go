// Package sandbox is the outside world in a box: registries behind an X-Road
// security server, a USSD gateway, an SMS provider and a wallet. They speak the
// real protocols, hold invented data and misbehave on demand. Nothing of it is
// reachable in production mode.
package sandbox

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"
)

// worldSeed makes every start the same.
const worldSeed = 1414

// World is the simulated state: its people, cars, fines and kindergartens, and
// the security server through which they are reached. The fixed rows are those
// of the guides; the volume around them is computed when asked for.
type World struct {
	// Passport is what the register of passports takes; set it before the first call.
	Passport Credentials

	now func() time.Time
	// started dates the fixed fines, so that an open discount is open on any day.
	started time.Time
	fines   *payments

	mu       sync.Mutex
	faults   map[string]Fault
	random   *rand.Rand
	requests map[string]recordRequest
	// What the register of fines was told since the start, by who asked and the plate, and by
	// the resolution's number; and the fines that were made since.
	follows    map[string]string
	deliveries map[int64]time.Time
	added      []fine
}

// NewWorld makes the world. With a folder, paid fines stay paid over a restart
// (safecity.jsonl); empty: everything is in memory. It fails when the folder's
// file cannot be read or written.
func NewWorld(dir string, now func() time.Time) (*World, error) {
	file := ""
	if dir != "" {
		file = filepath.Join(dir, "safecity.jsonl")
	}
	fines, err := openPayments(file)
	if err != nil {
		return nil, fmt.Errorf("sandbox: opening the fines' payments: %w", err)
	}
	return &World{
		Passport: Credentials{PassportClient, PassportSecret},
		now:      now, started: now(), fines: fines,
		faults:   map[string]Fault{},
		random:   rand.New(rand.NewPCG(worldSeed, worldSeed)), //nolint:gosec // faults need a seed, not secrecy
		requests: map[string]recordRequest{}, follows: map[string]string{}, deliveries: map[int64]time.Time{},
	}, nil
}

// Close closes the file of paid fines.
func (w *World) Close() error { return w.fines.close() }

// mixed is a stable hash of n: the same volume at every start.
func mixed(n uint64) uint64 {
	n += worldSeed + 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
