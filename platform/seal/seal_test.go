package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/seal"
)

func sealer(t *testing.T, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	s, other := sealer(t, 1), sealer(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := s.Seal(plain, "identity.pin")
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 4 && bytes.Contains(sealed, plain) {
			t.Fatal("the sealed bytes show the plain ones")
		}
		opened, err := s.Open(sealed, "identity.pin")
		if err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("opened %x, %v", opened, err)
		}
		if _, err := s.Open(sealed, "identity.phone"); !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("it opened in another place: %v", err)
		}
		if _, err := other.Open(sealed, "identity.pin"); !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("it opened under another key: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		sealed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := s.Open(sealed, "identity.pin"); !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("it opened with bit %d changed: %v", at, err)
		}
	})
	for _, short := range [][]byte{nil, {}, {1}, {2, 3}} {
		if _, err := s.Open(short, "identity.pin"); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("Open(%v) gave %v", short, err)
		}
	}
}

func TestIndex(t *testing.T) {
	s := sealer(t, 1)
	index := s.Index("phone", "+996555000001")
	if len(index) != 64 || index != sealer(t, 1).Index("phone", "+996555000001") {
		t.Errorf("an index is 64 hexadecimal digits, the same every time: %q", index)
	}
	for _, other := range []string{
		s.Index("pin", "+996555000001"), s.Index("phone", "+996555000002"),
		s.Index("phone+", "996555000001"), sealer(t, 2).Index("phone", "+996555000001"),
	} {
		if other == index {
			t.Error("different values have one index")
		}
	}
}

func TestMasterKeyLength(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := seal.New(make([]byte, n)); err == nil {
			t.Errorf("a master key of %d bytes was taken", n)
		}
	}
}
