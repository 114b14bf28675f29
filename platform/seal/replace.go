package seal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/seal/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Key is a data key without its bytes.
type Key struct {
	Number    uint32
	Master    string // the id of the master key that wraps it
	MadeAt    time.Time
	SealsFrom time.Time
	Destroyed time.Time // zero: it stands
}

// List gives the data keys as they were read last, the oldest first.
func (k *Keys) List() []Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return listed(k.rows)
}

// Seals is the number of the data key by which this process seals.
func (k *Keys) Seals() uint32 { return k.sealer.ring.Load().seals.number }

func listed(rows []db.SealKey) (list []Key) {
	for _, row := range rows {
		if row.Number != indexNumber {
			list = append(list, Key{
				Number: uint32(row.Number), Master: row.Master, // #nosec G115 -- they are counted from one
				MadeAt: row.MadeAt.Time, SealsFrom: row.SealsFromAt.Time, Destroyed: row.DestroyedAt.Time,
			})
		}
	}
	return list
}

// Standing are the keys that were not destroyed.
func Standing(list []Key) (standing []Key) {
	for _, key := range list {
		if key.Destroyed.IsZero() {
			standing = append(standing, key)
		}
	}
	return standing
}

// locked are all rows, which nobody else changes until the transaction ends.
func locked(ctx context.Context, tx *store.Tx) ([]db.SealKey, error) {
	q := db.New(tx)
	if err := q.LockKeys(ctx); err != nil {
		return nil, err
	}
	rows, err := q.Keys(ctx)
	if err == nil && len(rows) == 0 {
		err = errors.New("there is no key that seals")
	}
	return rows, err
}

// Add makes the next data key, which seals from Leads on. Where a former one stands beside
// the newest, nothing is made: what it sealed is being sealed anew.
func (k *Keys) Add(ctx context.Context, tx *store.Tx) (key Key, made bool, err error) {
	rows, err := locked(ctx, tx)
	if err != nil {
		return Key{}, false, fmt.Errorf("make a data key: %w", err)
	}
	list := listed(rows)
	newest := list[len(list)-1]
	if len(Standing(list)) > 1 {
		return newest, false, nil
	}
	master, err := k.master(rows[0].Master)
	if err != nil {
		return Key{}, false, err
	}
	now := k.Now()
	row, err := k.make(ctx, tx, int64(newest.Number)+1, master, now.Add(Leads))
	if err != nil {
		return Key{}, false, fmt.Errorf("make a data key: %w", err)
	}
	return listed([]db.SealKey{row})[0], true, nil
}

// master is the given one of an id. A new key is wrapped by that which wraps the others:
// every process has it, while one is being replaced.
func (k *Keys) master(id string) (Master, error) {
	wrong := &WrongMaster{Wanted: id}
	for _, m := range k.Masters {
		if m.ID() == id {
			return m, nil
		}
		wrong.Given = append(wrong.Given, m.ID())
	}
	return nil, wrong
}

// Rewrap wraps by the first of the master keys what another one wraps, and says how many
// keys that were. Processes that hold the keys need nothing.
func (k *Keys) Rewrap(ctx context.Context, tx *store.Tx) (rewrapped int, err error) {
	rows, err := locked(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("rewrap the keys: %w", err)
	}
	first := k.Masters[0]
	for _, row := range rows {
		if !row.DestroyedAt.IsZero() || row.Master == first.ID() {
			continue
		}
		key, err := open(k.Masters, row)
		if err != nil {
			return 0, err
		}
		wrapped, err := first.Wrap(key, placeOf(row.Number))
		if err != nil {
			return 0, fmt.Errorf("rewrap the key %d: %w", row.Number, err)
		}
		if _, err := db.New(tx).Wrap(ctx, db.WrapParams{Master: first.ID(), Wrapped: wrapped, Number: row.Number, Was: row.Master}); err != nil {
			return 0, fmt.Errorf("rewrap the key %d: %w", row.Number, err)
		}
		rewrapped++
	}
	return rewrapped, nil
}

// HeadsOf are what the values that a data key sealed begin with.
func HeadsOf(number uint32) [][]byte {
	heads := [][]byte{headOf(number)}
	if number != firstNumber {
		heads = append(heads, append([]byte{renewedForm}, heads[0][1:]...))
	}
	return heads
}

// Lock gives the data keys, which nobody else changes until the transaction ends.
func (k *Keys) Lock(ctx context.Context, tx *store.Tx) ([]Key, error) {
	rows, err := locked(ctx, tx)
	return listed(rows), err
}

// Destroy ends a data key: what it sealed cannot be opened any more. Who calls it has
// counted, in the same transaction, that nothing is.
func (k *Keys) Destroy(ctx context.Context, tx *store.Tx, number uint32) error {
	return db.New(tx).Destroy(ctx, db.DestroyParams{Nothing: []byte{}, DestroyedAt: dbtime.From(k.Now()), Number: int64(number)})
}

// Check names each row that its master key does not open, or whose key is another than this
// process uses, on one moment of the database.
func (k *Keys) Check(ctx context.Context, tx *sql.Tx) error {
	rows, err := db.New(tx).Keys(ctx)
	if err != nil {
		return fmt.Errorf("read the keys that seal: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var faults []error
	for _, row := range rows {
		if !row.DestroyedAt.IsZero() {
			continue
		}
		key, err := open(k.Masters, row)
		if err == nil && k.held[row.Number] != nil && !bytes.Equal(key, k.held[row.Number]) {
			err = fmt.Errorf("the key %d in seal_keys is another than the one in use", row.Number)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
