package dialog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/msgwire"
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
	for i := range data {
		data[i] = 0xff // the caller uses its memory again
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the state changed with the data it was read from: %+v", got)
	}
	data = want.Encode()
	for cut := range data {
		if _, err := Decode(data[:cut]); err == nil {
			t.Errorf("%d of %d bytes were read as whole", cut, len(data))
		}
	}
}

// TestWritten holds the format still: builds of other releases read it.
func TestWritten(t *testing.T) {
	t.Parallel()
	s := &State{Version: 3, Node: "a.b", Pages: []Page{{Text: "1 X", Options: []Next{{Node: "c", Back: true}}}}, Shown: 300}
	const format, head, version, locale, node, ask = "\x01", "\x87", "\xa1v\x03", "\xa1l\xa0", "\xa1n\xa3a.b", "\xa1a\xa0"
	const pages = "\xa1p\x91\x82\xa1t\xa31 X\xa1o\x91\x83\xa1n\xa1c\xa1t\xa0\xa1b\xc3"
	const shown, region = "\xa1s\xd1\x01\x2c", "\xa1g\xa0"
	if got, want := string(s.Encode()), format+head+version+locale+node+ask+pages+shown+region; got != want {
		t.Errorf("written %q, want %q", got, want)
	}
}

// before is a state as a build before wrote it: "cbor" by the last one before msgwire,
// full, version 3; "door" by the last one whose own nodes began with that word.
func before(tb testing.TB, which string) []byte {
	tb.Helper()
	text, err := os.ReadFile("testdata/state." + which + ".txt")
	if err != nil {
		tb.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// A state as earlier builds wrote it, in CBOR, goes on; a newer one does not, and
// says so.
func TestOtherVersions(t *testing.T) {
	t.Parallel()
	first, err := cbor.Marshal(map[int]any{
		1: 1, 2: "ru", 3: "fine.plate", 4: "text", 6: []any{map[int]any{1: "door.main"}}, 8: []any{map[int]any{1: "Номер?"}}, 10: 1_763_000_000_000_000, 99: map[string]any{"later": []int{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(first)
	if err != nil || s.Version != StateVersion || s.Node != "fine.plate" || s.Pages[0].Text != "Номер?" || s.History[0].Node != "menu.main" {
		t.Errorf("version 1: %+v, %v", s, err)
	}
	if s, err := Decode(before(t, "cbor")); err != nil || !reflect.DeepEqual(s, full()) {
		t.Errorf("the build before: %+v, %v; want %+v", s, err, full())
	}
	newer := full()
	newer.Version++
	if _, err := Decode(newer.Encode()); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer state: %v", err)
	}
	field := append(NewState(locales.KY).Encode(), "\xa7unknown\x93\x01\xa3abc\x80"...)
	field[1]++ // one pair more in the map
	if s, err := Decode(field); err != nil || s.Locale != locales.KY {
		t.Errorf("a newer build's field: %+v, %v", s, err)
	}
	format := NewState(locales.KY).Encode()
	format[0] = msgwire.Format + 1
	if _, err := Decode(format); !errors.Is(err, msgwire.ErrFormat) {
		t.Errorf("a newer format: %v", err)
	}
}

// TestFormerNodes: a state whose nodes have another name now goes on, wherever it names
// them; what a service keeps in its memory is its own.
func TestFormerNodes(t *testing.T) {
	t.Parallel()
	want := &State{
		Version: StateVersion, Locale: locales.RU, Node: nodeResume, Shown: 1_763_000_000_000_000,
		History: []Mark{{Node: nodeMain}, {Node: "fine.plate"}, {Node: nodeLanguage, Returns: 1}}, Returns: []string{nodeMain},
		Pages: []Page{{Text: "1", Options: []Next{
			{Node: nodeContinue}, {Node: "identity.start", Then: nodeMain}, {Node: nodeSpeak, Set: map[string]string{"locale": "ky"}},
		}}},
		Earlier: &State{
			Version: StateVersion, Locale: locales.RU, Node: nodeHelp, History: []Mark{{Node: nodeMain}}, Memory: map[string]string{"x": "door.main"},
		},
	}
	data := before(t, "door")
	if got, err := Decode(data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
	if again, err := Decode(want.Encode()); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("written by this build: %+v, %v", again, err)
	}
	if !bytes.Contains(data, []byte("door.resume")) || bytes.Contains(want.Encode(), []byte("door.r")) {
		t.Error("the builds do not differ, and the test says nothing")
	}
}

// FuzzDecode: any octets are an error or a state that is the same after it was
// written, and take memory by how many they are and not by what they announce.
func FuzzDecode(f *testing.F) {
	f.Add(full().Encode())
	f.Add(NewState(locales.KY).Encode())
	f.Add([]byte{msgwire.Format, 0x81, 0xa1, 'p', 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{msgwire.Format, 0x81, 0xa1, 'm', 0xdf, 0x7f, 0xff, 0xff, 0xff})
	f.Add(append([]byte{msgwire.Format}, bytes.Repeat([]byte{0x81, 0xa1, 'b'}, 100)...))
	f.Add(before(f, "cbor"))
	f.Add(before(f, "door"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var started, ended runtime.MemStats
		runtime.ReadMemStats(&started)
		s, err := Decode(data)
		runtime.ReadMemStats(&ended)
		// A page takes 64 bytes, a pair of texts with its map about 512.
		if took, bound := ended.TotalAlloc-started.TotalAlloc, 64<<10+512*uint64(len(data)); took > bound {
			t.Fatalf("%d octets took %d bytes of memory", len(data), took)
		}
		if err != nil {
			return
		}
		s, err = Decode(s.Encode()) // CBOR tells an empty list from none in another way
		if err != nil {
			t.Fatalf("written anew it is not read: %v", err)
		}
		if again, err := Decode(s.Encode()); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
