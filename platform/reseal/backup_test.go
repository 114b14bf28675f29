package reseal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestBackupsOfBeforeAreClosed: after the data key and the master key were rotated and the former
// ones destroyed, neither the living keys nor the living master key open a backup of before;
// the former master key still does.
func TestBackupsOfBeforeAreClosed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		p := h.process(1)
		h.OK(p.write(t.Context(), "erased"))
		var value []byte
		h.OK(db.Reader().QueryRowContext(t.Context(), "SELECT phone_sealed FROM sms_brakes").Scan(&value))
		backup := newHouse(t, storetest.Open(t, storetest.NewSQLite(t)))
		h.copyKeys(backup)

		p.rotate()
		h.Pass(seal.Leads)
		h.OK(p.tick(t.Context()))
		h.Pass(seal.Rests)
		h.OK(p.tick(t.Context()))
		p.wantValues("rotated", 0, 1+1)
		changing := h.process(2, 1)
		if n, err := changing.RotateMaster(t.Context(), staff.Act{Actor: "staff:root"}); err != nil || n != 2 {
			t.Fatalf("rewrapped %d keys, %v", n, err)
		}
		now := h.process(2)
		if _, err := now.Keys.Sealer().Open(value, "brake"); !errors.Is(err, seal.ErrKeyGone) {
			t.Errorf("the living keys, on a value of the backup: %v", err)
		}
		next, err := seal.NewLocalMaster([]byte("22222222222222222222222222222222"))
		h.OK(err)
		var wrong *seal.WrongMaster
		if _, err := seal.Open(t.Context(), seal.Deps{DB: backup.DB, Masters: []seal.Master{next}, Now: time.Now, Random: zeros{}, Log: h.Log}); !errors.As(err, &wrong) {
			t.Errorf("another master key, on the backup: %v", err)
		}
		if plain, err := backup.process(1).Keys.Sealer().Open(value, "brake"); err != nil || string(plain) != "phone erased" {
			t.Errorf("the former master key, on the backup: %q, %v", plain, err)
		}
	})
}

// zeros is no random source: nothing is to be drawn.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { return 0, errors.New("nothing is to be drawn here") }

// copyKeys copies the wrapped keys to a backup.
func (h *house) copyKeys(backup *house) {
	h.T.Helper()
	ctx := h.T.Context()
	rows, err := h.DB.Reader().QueryContext(ctx, "SELECT number, master, wrapped FROM seal_keys")
	h.OK(err)
	defer func() { h.OK(rows.Close()) }()
	for rows.Next() {
		var number int64
		var master string
		var wrapped []byte
		h.OK(rows.Scan(&number, &master, &wrapped))
		_, err := backup.DB.Writer().ExecContext(ctx, "INSERT INTO seal_keys (number, master, wrapped, made_at, seals_from_at) VALUES ($1, $2, $3, 1, 1)", number, master, wrapped)
		h.OK(err)
	}
	h.OK(rows.Err())
}
