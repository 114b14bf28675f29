package seal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/seal/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The numbers of keys: the one of the blind indexes, and the first that seals.
const (
	indexNumber = 0
	firstNumber = 1
)

const (
	// Leads is how long a new data key is known before it seals.
	Leads = 30 * time.Second
	// ringLasts is how old the keys may be by which something is sealed.
	ringLasts = 5 * time.Minute
	// Rests is how long a data key stays after the next one began to seal, at least: longer
	// than any process seals by keys that it read before, and than an access token lasts,
	// which carries a sealed phone.
	Rests = time.Hour
	// missRests is between two readings because of a number that is not known.
	missRests = time.Second
	// readTakes bounds a reading that somebody waits for who seals or opens.
	readTakes = 5 * time.Second
)

// Deps is what Keys stand on; every field is needed.
type Deps struct {
	DB *store.DB
	// Masters unwrap the keys. The first wraps those that are rewrapped; others are the
	// former ones, while a master key is being replaced.
	Masters []Master
	Now     func() time.Time
	Random  io.Reader // crypto/rand.Reader
	Log     *slog.Logger
}

// Keys are those of a database: one that indexes and one or more that seal. Several
// processes on one database may use and replace them at once.
type Keys struct {
	Deps
	sealer *Sealer

	mu     sync.Mutex // held while they are read
	missed time.Time  // when they were read because of a number that is not known
	held   map[int64][]byte
	rows   []db.SealKey
}

// WrongMaster says that no given master key is the one which wraps the keys.
type WrongMaster struct {
	Number int64  // of a key
	Wanted string // the id of the master key that wraps it
	Given  []string
	Why    error // nil: none of that id was given
}

// Error implements error.
func (e *WrongMaster) Error() string {
	if e.Why != nil {
		return fmt.Sprintf("the wrapped key %d in seal_keys was changed, the master key %s does not open it: put the row back from a backup (%v)", e.Number, e.Wanted, e.Why)
	}
	return fmt.Sprintf("this is not the master key of this database: its keys are wrapped by the master key %s, given is %v; "+
		"set ESHIK_MASTER_KEY to that one, or, where it is being replaced, ESHIK_MASTER_KEY_FORMER too", e.Wanted, e.Given)
}

// Unwrap gives why a master key did not open the row.
func (e *WrongMaster) Unwrap() error { return e.Why }

// Open reads the keys, and makes the first ones in a database that has none. A
// *WrongMaster says that they cannot be unwrapped, an Away that nobody can say now.
func Open(ctx context.Context, deps Deps) (*Keys, error) {
	if err := needs.All("the keys that seal", deps); err != nil {
		return nil, err
	}
	k := &Keys{Deps: deps, held: map[int64][]byte{}}
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err == nil && len(rows) == 0 {
		rows, err = k.begin(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read the keys that seal: %w", err)
	}
	for _, row := range rows {
		if row.DestroyedAt.IsZero() {
			if _, err := k.unwrap(row); err != nil {
				return nil, err
			}
		}
	}
	r, err := k.ringOf(rows)
	if err != nil {
		return nil, err
	}
	index := k.held[indexNumber]
	if index == nil {
		return nil, errors.New("the key of the blind indexes is not in seal_keys: put the row 0 back from a backup")
	}
	k.sealer = newSealer(index, r, k.Now, k.read)
	return k, nil
}

// Sealer seals, opens and indexes by the keys.
func (k *Keys) Sealer() *Sealer { return k.sealer }

// begin makes the first keys. Of several processes that start at once one does.
func (k *Keys) begin(ctx context.Context) (rows []db.SealKey, err error) {
	err = k.DB.InTx(ctx, func(tx *store.Tx) error {
		for number := int64(indexNumber); number <= firstNumber; number++ {
			if _, err := k.make(ctx, tx, number, k.Masters[0], k.Now()); err != nil {
				return err
			}
		}
		rows, err = db.New(tx).Keys(ctx)
		return err
	})
	return rows, err
}

// make makes the key of a number, unless that is taken.
func (k *Keys) make(ctx context.Context, tx *store.Tx, number int64, master Master, from time.Time) (db.SealKey, error) {
	key := make([]byte, MasterKeySize)
	if _, err := io.ReadFull(k.Random, key); err != nil {
		return db.SealKey{}, fmt.Errorf("draw a key: %w", err)
	}
	wrapped, err := master.Wrap(key, placeOf(number))
	if err != nil {
		return db.SealKey{}, fmt.Errorf("wrap the key %d: %w", number, err)
	}
	row := db.SealKey{Number: number, Master: master.ID(), Wrapped: wrapped, MadeAt: dbtime.From(k.Now()), SealsFromAt: dbtime.From(from)}
	_, err = db.New(tx).AddKey(ctx, db.AddKeyParams{
		Number: number, Master: row.Master, Wrapped: wrapped, MadeAt: row.MadeAt, SealsFromAt: row.SealsFromAt,
	})
	return row, err
}

// placeOf binds a wrapped key to its row.
func placeOf(number int64) string { return "eshik key " + strconv.FormatInt(number, 10) }

// unwrap gives the key of a row, which is opened once.
func (k *Keys) unwrap(row db.SealKey) ([]byte, error) {
	if key := k.held[row.Number]; key != nil {
		return key, nil
	}
	key, err := open(k.Masters, row)
	if err == nil {
		k.held[row.Number] = key
	}
	return key, err
}

// open opens a row by the master key that it names.
func open(masters []Master, row db.SealKey) ([]byte, error) {
	wrong := &WrongMaster{Number: row.Number, Wanted: row.Master}
	if row.Master == "" { // of a database from before, until Keep
		if local, ok := masters[0].(*LocalMaster); ok {
			return local.derived(row.Number)
		}
		return nil, errors.New("the keys of a database from before are derived from ESHIK_MASTER_KEY: give that key")
	}
	for _, m := range masters {
		wrong.Given = append(wrong.Given, m.ID())
		if m.ID() != row.Master {
			continue
		}
		key, err := m.Unwrap(row.Wrapped, placeOf(row.Number))
		if err == nil {
			return key, nil
		}
		if away := Away(nil); errors.As(err, &away) {
			return nil, err
		}
		wrong.Why = err
	}
	return nil, wrong
}

// Keep wraps the keys of a database from before, which are derived from its master key. It
// is called when something has opened by them.
func (k *Keys) Keep(ctx context.Context) error {
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err == nil && len(rows) > 0 && rows[0].Master != "" {
		return nil
	}
	if err == nil {
		err = k.DB.InTx(ctx, func(tx *store.Tx) error {
			_, err := k.Rewrap(ctx, tx)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("wrap the keys that were derived: %w", err)
	}
	return nil
}

// Refresh reads the keys anew. Done every few seconds, every process knows a new key before
// it seals.
func (k *Keys) Refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.refresh(ctx)
}

func (k *Keys) refresh(ctx context.Context) error {
	rows, err := db.New(k.DB.Reader()).Keys(ctx)
	if err != nil {
		return fmt.Errorf("read the keys that seal: %w", err)
	}
	r, err := k.ringOf(rows)
	if err == nil {
		k.sealer.ring.Store(r)
	}
	return err
}

// read is Refresh for a Sealer: because of a number that it does not know, once a second.
func (k *Keys) read(missed bool) (*ring, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTakes)
	defer cancel()
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Now()
	r := k.sealer.ring.Load()
	if missed && now.Sub(k.missed) < missRests || !missed && now.Sub(r.readAt) <= ringLasts { // by another, just now
		return r, nil
	}
	if missed {
		k.missed = now
	}
	err := k.refresh(ctx)
	return k.sealer.ring.Load(), err
}

// ringOf makes the ring of the rows. A key that cannot be unwrapped, as its master key is
// not given to this process, is told of and left out: what the others seal goes on.
func (k *Keys) ringOf(rows []db.SealKey) (*ring, error) {
	r := &ring{keys: map[uint32]*dataKey{}, readAt: k.Now()}
	for _, row := range rows {
		if !row.DestroyedAt.IsZero() {
			delete(k.held, row.Number)
			continue
		}
		if row.Number == indexNumber {
			continue
		}
		key, err := k.dataKey(row)
		if err != nil {
			k.Log.Error("a key that seals cannot be used", "number", row.Number, "error", err)
			continue
		}
		r.keys[key.number] = key
		if r.seals == nil || !r.readAt.Before(row.SealsFromAt.Time) {
			r.seals = key
		}
	}
	if r.seals == nil {
		return nil, errors.New("no key that seals can be used")
	}
	k.rows = rows
	return r, nil
}

// dataKey is the key of a row, as the ring has it already or made anew.
func (k *Keys) dataKey(row db.SealKey) (*dataKey, error) {
	number := uint32(row.Number) // #nosec G115 -- they are counted from one
	if k.sealer != nil {
		if known := k.sealer.ring.Load().keys[number]; known != nil {
			return known, nil
		}
	}
	key, err := k.unwrap(row)
	if err != nil {
		return nil, err
	}
	return newDataKey(number, key)
}
