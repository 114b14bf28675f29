package sign_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func now() time.Time { return time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC) }

var silent = slog.New(slog.DiscardHandler)

func newSealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deps are those of a test, but what it changes in them.
func deps(t testing.TB, db *store.DB, changes ...func(*sign.Deps)) sign.Deps {
	t.Helper()
	d := sign.Deps{DB: db, Sealer: newSealer(t, 7), Trail: testworld.New(t, db, testworld.Setup{}).Trail, Now: now, Log: silent}
	for _, change := range changes {
		change(&d)
	}
	return d
}

func open(t testing.TB, db *store.DB) *sign.Keys {
	t.Helper()
	keys, err := sign.Open(context.Background(), deps(t, db))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func claims() sign.Claims {
	content, _ := cbor.Marshal("Айгүл")
	return sign.Claims{Issuer: "KG-TEST", IssuedAt: 1_700_000_000, ID: []byte("K7MN4PQR2XH"), Content: content}
}

func mustSign(t testing.TB, keys *sign.Keys) []byte {
	t.Helper()
	message, err := keys.Sign(context.Background(), claims())
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// TestRotation shows that what an earlier key signed verifies for ever, in this
// process and in others, and that rotation reaches a process that runs.
func TestRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		keys, other := open(t, db), open(t, db)
		first := mustSign(t, keys)
		kid, err := keys.Rotate(ctx, staff.Act{Actor: "staff:officer"})
		if err != nil {
			t.Fatal(err)
		}
		second := mustSign(t, other)
		var read cose.Sign1Message
		if err := read.UnmarshalCBOR(second); err != nil {
			t.Fatal(err)
		}
		all, err := keys.Public(ctx)
		if err != nil || len(all) != 2 || all[1].KID != kid || all[1].Generation != 2 {
			t.Fatalf("keys %+v, %v", all, err)
		}
		for _, k := range []*sign.Keys{keys, other, open(t, db)} {
			for _, message := range [][]byte{first, second} {
				got, err := k.Verify(ctx, message)
				if err != nil || got.Issuer != "KG-TEST" || string(got.ID) != "K7MN4PQR2XH" || got.IssuedAt != 1_700_000_000 {
					t.Errorf("claims %+v, %v", got, err)
				}
			}
		}
		// Anybody verifies with the published key alone.
		var public cose.Key
		if err := public.UnmarshalCBOR(all[1].COSE); err != nil {
			t.Fatal(err)
		}
		verifier, err := public.Verifier()
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Verify(nil, verifier); err != nil {
			t.Error(err)
		}
	})
}

// TestFirstStarts shows that processes that start at once share one key.
func TestFirstStarts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		given := deps(t, db)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, err := sign.Open(context.Background(), given); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if all, err := open(t, db).Public(context.Background()); err != nil || len(all) != 1 {
			t.Errorf("%d keys, %v", len(all), err)
		}
	})
}

// TestForgeries changes every byte of a message in turn, and more.
func TestForgeries(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	keys := open(t, storetest.Open(t, storetest.NewSQLite(t)))
	message := mustSign(t, keys)
	for i := range message {
		forged := bytes.Clone(message)
		forged[i] ^= 1
		if _, err := keys.Verify(ctx, forged); !errors.Is(err, sign.ErrForged) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	stranger := open(t, storetest.Open(t, storetest.NewSQLite(t)))
	for name, forged := range map[string][]byte{
		"empty": nil, "cut": message[:len(message)-1], "longer": append(bytes.Clone(message), 0),
		"huge": make([]byte, sign.MaxMessage+1), "another house's": mustSign(t, stranger),
	} {
		if _, err := keys.Verify(ctx, forged); !errors.Is(err, sign.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWrongMasterKey shows that a house with another master key fails at start.
func TestWrongMasterKey(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	open(t, db)
	if _, err := sign.Open(context.Background(), deps(t, db, func(d *sign.Deps) { d.Sealer = newSealer(t, 8) })); err == nil {
		t.Error("the keys opened with another master key")
	}
}

func FuzzVerify(f *testing.F) {
	keys := open(f, storetest.Open(f, storetest.NewSQLite(f)))
	message := mustSign(f, keys)
	f.Add(message)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		// What is not signed may differ (the unprotected headers): what is said may not.
		got, err := keys.Verify(context.Background(), data)
		if err == nil && (string(got.ID) != string(claims().ID) || !bytes.Equal(got.Content, claims().Content)) {
			t.Fatalf("%x verified", data)
		}
	})
}
