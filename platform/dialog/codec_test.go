package dialog

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
)

// full is a state with something in every field.
func full() *State {
	return &State{
		Version: StateVersion, Locale: locales.KYLatn, Node: "fine.list", Ask: AskText,
		Memory:  map[string]string{"plate": "01KG123ABC", "": "empty key", "empty": ""},
		History: []Mark{{Node: "fine.plate"}, {Node: "identity.code", Returns: 2}}, Returns: []string{"fine.details", ""},
		Pages: []Page{
			{Text: "Айып\n1 Төлөө", Options: []Next{{Node: "fine.open", Set: map[string]string{"n": "1"}, Then: "x", Back: true, Fresh: true}, {}}},
			{Text: "2", First: 2, Of: 1},
		},
		Page: 1, Shown: 1_763_000_000_000_000, Pending: []string{"1", "2"}, Ended: true, Region: "KG-C",
		Earlier: &State{Version: StateVersion, Node: "preschool.menu", Locale: locales.RU, Shown: -1},
	}
}

func TestStateCodec(t *testing.T) {
	t.Parallel()
	want := full()
	data := want.Encode()
	got, err := Decode(data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
	if err := cbor.Wellformed(data); err != nil {
		t.Errorf("another reader: %v", err)
	}
	var read map[int]any
	if err := cbor.Unmarshal(data, &read); err != nil || read[keyNode] != "fine.list" || len(read) != keyEarlier {
		t.Errorf("another reader sees %v, %v", read, err)
	}
	for cut := range data {
		if _, err := Decode(data[:cut]); err == nil {
			t.Errorf("%d of %d bytes were read as whole", cut, len(data))
		}
	}
}

// A state as the first release wrote it, with a general library, goes on; a
// newer one does not, and says so.
func TestOtherVersions(t *testing.T) {
	t.Parallel()
	first, err := cbor.Marshal(map[int]any{
		1: 1, 2: "ru", 3: "fine.plate", 4: "text", 6: []any{map[int]any{1: "door.main"}}, 8: []any{map[int]any{1: "Номер?"}}, 10: 1_763_000_000_000_000, 99: map[string]any{"later": []int{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(first)
	if err != nil || s.Version != StateVersion || s.Node != "fine.plate" || s.Pages[0].Text != "Номер?" || s.History[0].Node != "door.main" {
		t.Errorf("version 1: %+v, %v", s, err)
	}
	newer := full()
	newer.Version++
	if _, err := Decode(newer.Encode()); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer state: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(full().Encode())
	f.Add(NewState(locales.KY).Encode())
	f.Add([]byte{0xa1, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(bytes.Clone(data))
		if err != nil {
			return
		}
		again, err := Decode(s.Encode())
		if err != nil || !bytes.Equal(sorted(t, again), sorted(t, s)) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}

// sorted is a state in one canonical form, written by somebody else's library.
func sorted(t *testing.T, s *State) []byte {
	t.Helper()
	encoder, err := cbor.CanonicalEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode() // a state may hold what no text can
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := decoder.Unmarshal(s.Encode(), &v); err != nil {
		t.Fatalf("the state is no CBOR: %v", err)
	}
	data, err := encoder.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
