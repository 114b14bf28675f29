package reseal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/reseal"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// columns are of tables with few needs: one key of text, and two.
var columns = []reseal.Column{
	{Table: "sms_brakes", Name: "phone_sealed", Key: []string{"sender"}, Context: reseal.In("brake")},
	{Table: "sms_inbound", Name: "sealed", Key: []string{"provider", "message_id"}, Context: reseal.Bound("text ")},
}

// process is one of several on a database.
type process struct {
	*reseal.Service
	t *testing.T
	w *testworld.World
}

// house is a database with values of its first key.
type house struct {
	*testworld.World
	t *testing.T
}

func newHouse(t *testing.T, db *store.DB) *house {
	return &house{World: testworld.New(t, db, testworld.Setup{}), t: t}
}

// process starts one with master keys, each of a repeated byte.
func (h *house) process(fills ...byte) *process {
	h.t.Helper()
	var masters []seal.Master
	for _, fill := range fills {
		m, err := seal.NewLocalMaster(bytes.Repeat([]byte{fill}, seal.MasterKeySize))
		h.OK(err)
		masters = append(masters, m)
	}
	keys, err := seal.Open(h.t.Context(), seal.Deps{DB: h.DB, Masters: masters, Now: h.Now, Random: rand.Reader, Log: h.Log})
	h.OK(err)
	s, err := reseal.New(reseal.Deps{DB: h.DB, Keys: keys, Trail: h.Trail, Columns: columns, Now: h.Now, Log: h.Log})
	h.OK(err)
	return &process{Service: s, t: h.t, w: h.World}
}

// write puts a value in each column.
func (p *process) write(ctx context.Context, id string) error {
	phone, err := p.Keys.Sealer().Seal([]byte("phone "+id), "brake")
	if err != nil {
		return err
	}
	text, err := p.Keys.Sealer().Seal([]byte("text "+id), "text p "+id)
	if err != nil {
		return err
	}
	return p.w.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO sms_brakes (sender, phone_sealed, provider, reason, since_at, until_at, silenced) VALUES ($1, $2, 'p', 'r', 1, 1, 1)", id, phone)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO sms_inbound (provider, message_id, received_at, sealed, sender) VALUES ('p', $1, 1, $2, '')", id, text)
		}
		return err
	})
}

// read opens the values that write put.
func (p *process) read(ctx context.Context, id string) error {
	var phone, text []byte
	err := p.w.DB.Reader().QueryRowContext(ctx, "SELECT b.phone_sealed, i.sealed FROM sms_brakes b JOIN sms_inbound i ON i.message_id = b.sender WHERE b.sender = $1", id).Scan(&phone, &text)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		sealed         []byte
		context, plain string
	}{{phone, "brake", "phone " + id}, {text, "text p " + id, "text " + id}} {
		if plain, err := p.Keys.Sealer().Open(v.sealed, v.context); err != nil || string(plain) != v.plain {
			return fmt.Errorf("%s of %s: %q, %w", v.context, id, plain, err)
		}
	}
	return nil
}

// tick is what a process does every few seconds.
func (p *process) tick(ctx context.Context) error {
	return errors.Join(p.Keys.Refresh(ctx), p.Work(ctx))
}

func (p *process) rotate() seal.Key {
	p.t.Helper()
	key, made, err := p.Rotate(p.t.Context(), staff.Act{Actor: "staff:root"})
	if err != nil || !made {
		p.t.Fatalf("made %v: %v", made, err)
	}
	return key
}

// values are how many each data key sealed, the oldest first.
func (p *process) values() (all []int64) {
	p.t.Helper()
	list, err := p.List(p.t.Context())
	testworld.OK(p.t, err)
	for _, s := range list {
		all = append(all, s.Values)
	}
	return all
}

func (p *process) wantValues(what string, want ...int64) {
	p.t.Helper()
	if got := p.values(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("%s: the data keys sealed %v values, want %v", what, got, want)
	}
}

func (p *process) check() error {
	return p.w.DB.Snapshot(p.t.Context(), func(tx *sql.Tx) error { return p.Check(p.t.Context(), tx) })
}

// TestRotationUnderLoad: two processes write and read all the time while the data key and the
// master key are rotated. Nothing is refused, everything is sealed anew, the former key is destroyed.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		two := []*process{h.process(2, 1), h.process(2, 1)}
		var served, refused atomic.Int64
		stop := make(chan struct{})
		var load sync.WaitGroup
		for i, p := range two {
			for worker := range 2 {
				load.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						id := fmt.Sprintf("%d-%d-%06d", i, worker, n)
						err := p.write(t.Context(), id)
						if err == nil {
							err = two[1-i].read(t.Context(), id)
						}
						if err == nil && n > 10 {
							err = p.read(t.Context(), fmt.Sprintf("%d-%d-%06d", i, worker, n/2))
						}
						if served.Add(1); err != nil {
							refused.Add(1)
							t.Error(err)
						}
					}
				})
			}
		}
		for served.Load() < 200 {
			time.Sleep(time.Millisecond)
		}
		two[0].rotate()
		n, err := two[1].RotateMaster(t.Context(), staff.Act{Actor: "staff:root"})
		if err != nil || n != 0 { // a new database begins under the first master key
			t.Errorf("rewrapped %d: %v", n, err)
		}
		h.Pass(seal.Leads)
		var ticks sync.WaitGroup
		for _, p := range two {
			ticks.Go(func() {
				if err := p.tick(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		ticks.Wait()
		close(stop)
		load.Wait()
		if refused.Load() != 0 {
			t.Fatalf("of %d steps %d were refused", served.Load(), refused.Load())
		}
		h.Pass(seal.Rests)
		for range 3 {
			for _, p := range two {
				h.OK(p.tick(t.Context()))
			}
		}
		two[1].wantValues("at the end", 0, 2*served.Load())
		if list := two[1].Keys.List(); list[0].Destroyed.IsZero() {
			t.Errorf("the former key stands: %+v", list)
		}
		h.OK(two[0].check())
		h.OK(h.process(2).read(t.Context(), "0-0-000000"))
	})
}

// TestKilledAndResumed: a rotation whose process ends in the middle is finished by another, which
// begins where it was; a second rotation meanwhile makes nothing.
func TestKilledAndResumed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		killed := h.process(1)
		const rows = 450
		for n := range rows {
			h.OK(killed.write(t.Context(), fmt.Sprintf("%06d", n)))
		}
		killed.rotate()
		h.Pass(seal.Leads)
		h.OK(killed.Keys.Refresh(t.Context()))
		dying, kill := context.WithCancel(t.Context())
		go func() {
			for {
				list, err := killed.List(t.Context())
				if err != nil || list[1].Values > 0 {
					kill()
					return
				}
			}
		}()
		if err := killed.Work(dying); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		kill()
		resumed := h.process(1)
		half := resumed.values()
		if half[1] == 0 || half[0]+half[1] != 2*rows {
			t.Fatalf("when it was killed: %v", half)
		}
		if key, made, err := resumed.Rotate(t.Context(), staff.Act{Actor: "staff:root"}); err != nil || made || key.Number != 2 {
			t.Errorf("a rotation during another made %v, %v, %v", key, made, err)
		}
		h.OK(resumed.tick(t.Context()))
		resumed.wantValues("resumed", 0, 2*rows)
		list, err := resumed.List(t.Context())
		h.OK(err)
		for _, p := range list[1].Progress {
			if !p.Done || p.Resealed != rows || p.Failed != 0 {
				t.Errorf("each value is sealed anew once: %+v", p)
			}
		}
		if !list[0].Destroyed.IsZero() {
			t.Error("the former key was destroyed before an hour had passed")
		}
	})
}

// TestTheMomentOfANewKey: a process that read the new key before its moment seals by it when it begins to seal
// anew; one that was not given its master key says so, and that nothing is done.
func TestTheMomentOfANewKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		p, left := h.process(1), h.process(1)
		h.OK(p.write(t.Context(), "a"))
		if _, err := h.process(2, 1).RotateMaster(t.Context(), staff.Act{Actor: "staff:root"}); err != nil {
			t.Fatal(err)
		}
		h.process(2).rotate()
		h.OK(left.Keys.Refresh(t.Context()))
		p = h.process(2)
		h.Pass(seal.Leads)
		if err := left.Work(t.Context()); err == nil || !strings.Contains(err.Error(), "was it given the master key") {
			t.Errorf("a process without the master key of the new key: %v", err)
		}
		h.OK(p.Work(t.Context()))
		p.wantValues("at its moment", 0, 2)
	})
}

// TestTwoRotationsAtOnce: one key is made.
func TestTwoRotationsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		var made atomic.Int64
		var all sync.WaitGroup
		for _, p := range []*process{h.process(1), h.process(1), h.process(1)} {
			all.Go(func() {
				key, new, err := p.Rotate(t.Context(), staff.Act{Actor: "staff:root"})
				if err != nil || key.Number != 2 {
					t.Errorf("%+v, %v", key, err)
				}
				if new {
					made.Add(1)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("%d made a key", made.Load())
		}
	})
}

// TestNoKeyIsDestroyedThatIsNeeded: a value that does not open, and one that a late transaction brings,
// keep the former key; once they are gone it is destroyed.
func TestNoKeyIsDestroyedThatIsNeeded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		p := h.process(1)
		h.OK(p.write(t.Context(), "good"))
		h.OK(p.write(t.Context(), "moved"))
		late, err := p.Keys.Sealer().Seal([]byte("phone late"), "brake")
		h.OK(err)
		exec := func(query string, args ...any) {
			t.Helper()
			_, err := db.Writer().ExecContext(t.Context(), query, args...)
			h.OK(err)
		}
		exec("UPDATE sms_inbound SET sealed = (SELECT g.sealed FROM sms_inbound g WHERE g.message_id = 'good') WHERE message_id = 'moved'")
		if err := p.check(); err == nil || !strings.Contains(err.Error(), "sms_inbound.sealed: 1 sealed values") || !strings.Contains(err.Error(), "p moved") {
			t.Errorf("a value that was moved: %v", err)
		}
		p.rotate()
		h.Pass(seal.Leads)
		h.OK(p.tick(t.Context()))
		exec("UPDATE sms_brakes SET phone_sealed = $1 WHERE sender = 'moved'", late)
		p.wantValues("before the hour", 2, 2)
		for range 4 {
			h.Pass(seal.Rests + time.Second)
			h.OK(p.tick(t.Context()))
		}
		p.wantValues("what does not open", 1, 3)
		if !p.Keys.List()[0].Destroyed.IsZero() {
			t.Fatal("a key was destroyed that sealed a value")
		}
		exec("UPDATE sms_inbound SET sealed = NULL WHERE message_id = 'moved'")
		h.OK(p.tick(t.Context()))
		if p.Keys.List()[0].Destroyed.IsZero() {
			t.Error("the former key stands")
		}
		h.OK(p.check())
		exec("UPDATE seal_keys SET destroyed_at = 1, wrapped = $1 WHERE number = 2", []byte{})
		exec("UPDATE seal_keys SET destroyed_at = NULL, number = 3 WHERE number = 1")
		if err := p.check(); err == nil {
			t.Error("rows of keys that were changed are not found")
		}
	})
}

// TestAKeyThatIsGone: the check names how many values it sealed.
func TestAKeyThatIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		p := h.process(1)
		p.rotate()
		h.Pass(seal.Leads)
		h.OK(p.tick(t.Context()))
		h.OK(p.write(t.Context(), "a"))
		h.OK(p.write(t.Context(), "b"))
		_, err := db.Writer().ExecContext(t.Context(), "DELETE FROM seal_keys WHERE number = 2")
		h.OK(err)
		err = h.process(1).check()
		if err == nil || !strings.Contains(err.Error(), "sms_brakes.phone_sealed: the data key that sealed 2 values is gone, the first is of the row a") {
			t.Errorf("values whose key is gone: %v", err)
		}
	})
}

// TestLargeValues: files are read a few at a time, and none is passed over.
func TestLargeValues(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := newHouse(t, db), t.Context()
		p := h.process(1)
		file := bytes.Repeat([]byte("a"), 3<<20)
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			sealed, err := p.Keys.Sealer().Seal(file, "text p "+id)
			h.OK(err)
			h.OK(db.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO sms_inbound (provider, message_id, received_at, sealed, sender) VALUES ('p', $1, 1, $2, '')", id, sealed)
				return err
			}))
		}
		p.rotate()
		h.Pass(seal.Leads)
		h.OK(p.tick(ctx))
		p.wantValues("after all were sealed anew", 0, 5)
		h.OK(p.check())
		_, err := db.Writer().ExecContext(ctx, "UPDATE sms_inbound SET sealed = substr(sealed, 1, 1000) WHERE message_id = 'e'")
		h.OK(err)
		if err := p.check(); err == nil || !strings.Contains(err.Error(), "1 sealed values were changed or moved and do not open, the first is of the row p e") {
			t.Errorf("the last of them was cut: %v", err)
		}
	})
}
