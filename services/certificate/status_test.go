package certificate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// place is a certificate's signed place in the status lists.
func place(t *testing.T, h *world, number string) int64 {
	t.Helper()
	m, err := sign.Read(must[[]byte](t)(certificate.Unpack(certificate.Payload(t, h.Service, number))))
	if err != nil || m.Claims.Status == nil {
		t.Fatalf("no place in the status lists was signed: %v", err)
	}
	return *m.Claims.Status
}

// jwks are the published keys.
func jwks(t *testing.T, h *world) json.RawMessage {
	t.Helper()
	return must[[]byte](t)(json.Marshal(map[string]any{"keys": must[[]certificate.TrustedKey](t)(h.TrustedKeys(t.Context()))}))
}

// TestOthersReadTheStatusList: libraries of others check the list's signature by the published keys
// and find who was revoked; a revocation is in it at once, and nobody else's bit is set.
func TestOthersReadTheStatusList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		gone := request(t, h, "t1", certificate.Residential).Number
		stands := request(t, h, "t2", certificate.Family).Number
		indices := []int64{place(t, h, gone), place(t, h, stands)}
		read := func() []string {
			list := must[string](t)(h.StatusList(t.Context(), 0))
			return node(t, "status.mjs", map[string]any{"jwks": jwks(t, h), "list": list, "indices": indices})
		}
		const form = "vc+jwt BitstringStatusList revocation u 1048576"
		if got, want := read(), []string{form, "valid", "valid"}; !slices.Equal(got, want) {
			t.Errorf("before: %q, want %q", got, want)
		}
		h.OK(h.Revoke(t.Context(), staff.Act{Actor: "staff:officer"}, anybody, gone))
		if got, want := read(), []string{form, "revoked", "valid"}; !slices.Equal(got, want) {
			t.Errorf("after: %q, want %q", got, want)
		}
		if n := certificate.SetBits(t, must[string](t)(h.StatusList(t.Context(), 0))); n != 1 {
			t.Errorf("%d bits are set", n)
		}
		if _, err := h.StatusList(t.Context(), 1); problem.From(err).Key != "problem.no_route" {
			t.Errorf("a list that is not: %v", err)
		}
	})
}

// TestPlacesInTheLists: a place tells nothing of the order of issue, no two certificates have one,
// and when the list fills up another is begun.
func TestPlacesInTheLists(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newWorld(t, db)
		h.Random = certificate.Draws(0x00000005) // always the same bit
		first := place(t, h, asked(t, h, "t1", certificate.Residential).Number)
		second := place(t, h, asked(t, h, "t2", certificate.Residential).Number)
		third := place(t, h, asked(t, h, "t3", certificate.Residential).Number)
		if first != 5 || second != 1<<20+5 || third != 2<<20+5 {
			t.Errorf("the places are %d, %d, %d", first, second, third)
		}
		for list := range 3 {
			_ = must[string](t)(h.StatusList(t.Context(), list))
		}
	})
}

// TestPublishedOnce: who asks again within a minute is given the same bytes; after it, after a
// revocation and after a rotation it is signed anew, as of then.
func TestPublishedOnce(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	number := request(t, h, "t1", certificate.Residential).Number
	trust := func() string { return must[string](t)(h.Trust(t.Context())) }
	before := trust()
	if trust() != before {
		t.Error("it is signed for each who asks")
	}
	for name, change := range map[string]func(){
		"a minute":     func() { h.Clock.Pass(time.Minute) },
		"a rotation":   func() { _ = must[string](t)(h.signer.Rotate(t.Context(), staff.Act{Actor: "staff:officer"})) },
		"a revocation": func() { h.OK(h.Revoke(t.Context(), staff.Act{Actor: "staff:officer"}, anybody, number)) },
	} {
		change()
		if after := trust(); after == before || strings.Count(after, ".") != 2 {
			t.Errorf("after %s it is the same", name)
		} else {
			before = after
		}
		if trust() != before {
			t.Errorf("after %s it is signed for each who asks", name)
		}
	}
}
