package seal_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestRenewed: a value that is sealed anew, twice, opens in its place alone, is still what it
// was first, and is refused with any bit changed or with another's origin.
func TestRenewed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clock := testworld.NewClock(time.Time{})
		k := keys(t, db, clock.Now, master(t, 1))
		first, other := sealed(t, k, "11503198800011"), sealed(t, k, "22107197900022")
		s := k.Sealer()
		now, foreign := first, other
		for n := uint32(2); n <= 3; n++ {
			inTx(t, db, func(tx *store.Tx) error {
				if n > 2 {
					testworld.OK(t, k.Destroy(t.Context(), tx, n-2))
				}
				_, _, err := k.Add(t.Context(), tx)
				return err
			})
			clock.Pass(seal.Leads)
			testworld.OK(t, k.Refresh(t.Context()))
			var changed bool
			var err error
			now, changed, err = s.Reseal(now, "place")
			if number, _ := seal.Number(now); err != nil || !changed || number != n || bytes.Contains(now, first[1:]) {
				t.Fatalf("sealed anew by key %d: %v, %v; what the former one sealed is not to be seen in it", number, changed, err)
			}
			foreign, _, err = s.Reseal(foreign, "place")
			testworld.OK(t, err)
			opens(t, k, now, "11503198800011")
			if was, err := s.First(now); err != nil || !bytes.Equal(was, first) {
				t.Errorf("it was %x first, now %x, %v", first, was, err)
			}
			if _, changed, err := s.Reseal(now, "place"); err != nil || changed {
				t.Errorf("sealed anew by the same key: %v, %v", changed, err)
			}
		}
		if _, err := s.Open(now, "elsewhere"); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("it opened in another place: %v", err)
		}
		const head = 9 // form, number, the origin's length
		origin := head + len(first) + 24 + 16
		if _, err := s.Open(append(bytes.Clone(foreign[:origin]), now[origin:]...), "place"); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("it opened with another's origin: %v", err)
		}
		rapid.Check(t, func(t *rapid.T) {
			broken := bytes.Clone(now)
			at := rapid.IntRange(0, len(broken)-1).Draw(t, "at")
			broken[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			if _, err := s.Open(broken, "place"); !errors.Is(err, seal.ErrOpen) {
				t.Fatalf("it opened with byte %d changed: %v", at, err)
			}
			short := now[:rapid.IntRange(0, len(now)-1).Draw(t, "short")]
			if _, err := s.Open(short, "place"); !errors.Is(err, seal.ErrOpen) {
				t.Fatalf("%d bytes of it opened: %v", len(short), err)
			}
			_, _ = s.First(short) // does not panic
		})
	})
}
