package sign_test

import (
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestPublishedKeys: each key says when it signs, the COSE_KeySet as the list does, and no private
// half is in either; keys that were revealed go on verifying here and say so.
func TestPublishedKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clock := now()
		keys, err := sign.Open(t.Context(), deps(t, db, func(d *sign.Deps) { d.Now = func() time.Time { return clock } }))
		if err != nil {
			t.Fatal(err)
		}
		first := mustSign(t, keys)
		officer := staff.Act{Actor: "staff:officer"}
		clock = clock.Add(time.Hour)
		if _, err := keys.Rotate(t.Context(), officer); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Hour)
		kid, err := keys.Reveal(t.Context(), officer)
		if err != nil {
			t.Fatal(err)
		}
		all, err := keys.Public(t.Context())
		if err != nil || len(all) != 3 || all[2].KID != kid {
			t.Fatalf("%+v, %v", all, err)
		}
		set, err := sign.KeySet(all)
		if err != nil {
			t.Fatal(err)
		}
		var read []map[any]any
		if err := cbor.Unmarshal(set, &read); err != nil {
			t.Fatal(err)
		}
		for i, key := range all {
			from, last := now().Add(time.Duration(i)*time.Hour), i == 2
			if !key.MadeAt.Equal(from) || key.RetiredAt.IsZero() != last || !last && !key.RetiredAt.Equal(from.Add(time.Hour)) || key.RevealedAt.IsZero() != last {
				t.Errorf("key %d: %+v", i, key)
			}
			jwk, err := key.JWK()
			if err != nil || jwk.ID != key.KID || jwk.Use != "sig" {
				t.Errorf("%+v, %v", jwk, err)
			}
			if _, err := jwk.Verifier(); err != nil {
				t.Error(err)
			}
			got := read[i]
			want := map[any]bool{uint64(1): true, uint64(2): true, uint64(3): true, int64(-1): true, int64(-2): true, int64(-3): true, "nbf": true}
			if !last {
				want["exp"], want["revoked"] = true, true
			}
			kid, _ := got[uint64(2)].([]byte)
			if hex.EncodeToString(kid) != key.KID || got["nbf"] != uint64(from.Unix()) || len(got) != len(want) {
				t.Errorf("key %d of the set: %v", i, got)
			}
			for label := range want {
				if _, has := got[label]; !has {
					t.Errorf("key %d of the set has no %v: %v", i, label, slices.Collect(maps.Keys(got)))
				}
			}
		}
		if _, err := keys.Verify(t.Context(), first); err != nil {
			t.Errorf("what a revealed key signed: %v", err)
		}
	})
}
