package cborwire_test

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/platform/cborwire"
)

// record is a map of each type, as another library writes it.
type record struct {
	Number int64             `cbor:"1,keyasint"`
	Text   string            `cbor:"2,keyasint"`
	Blob   []byte            `cbor:"3,keyasint"`
	Flag   bool              `cbor:"4,keyasint"`
	List   []string          `cbor:"5,keyasint"`
	Words  map[string]string `cbor:"6,keyasint"`
}

func readRecord(data []byte) (out record, err error) {
	r := cborwire.NewReader(data)
	r.Map(func(key int64) {
		switch key {
		case 1:
			out.Number = r.Int()
		case 2:
			out.Text = r.Text()
		case 3:
			out.Blob = r.Blob()
		case 4:
			out.Flag = r.Bool()
		case 5:
			r.Array(func() { out.List = append(out.List, r.Text()) })
		case 6:
			out.Words = map[string]string{}
			r.Texts(func(key, value string) { out.Words[key] = value })
		default:
			r.Skip()
		}
	})
	return out, r.Err()
}

// FuzzOthers: what another library writes is read as the same.
func FuzzOthers(f *testing.F) {
	f.Add(int64(-1), "Эшик", []byte{0xff}, true, "a", uint8(3))
	f.Add(int64(math.MinInt64), strings.Repeat("x", 300), []byte(nil), false, "", uint8(200))
	f.Fuzz(func(t *testing.T, number int64, text string, blob []byte, flag bool, item string, n uint8) {
		in := record{
			Number: number, Text: strings.ToValidUTF8(text, ""), Blob: blob, Flag: flag, List: []string{},
			Words: map[string]string{strings.ToValidUTF8(item, ""): strings.ToValidUTF8(text, "")},
		}
		for range n {
			in.List = append(in.List, strings.ToValidUTF8(item, ""))
		}
		data, err := cbor.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if ours, err := readRecord(data); err != nil || !same(t, ours, in) {
			t.Fatalf("%+v of another is read as %+v, %v", in, ours, err)
		}
	})
}

// same compares two records as a canonical encoding has them: nil is empty.
func same(t *testing.T, a, b record) bool {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Blob) == 0 && len(b.Blob) == 0 {
		a.Blob, b.Blob = nil, nil
	}
	if len(a.List) == 0 && len(b.List) == 0 {
		a.List, b.List = nil, nil
	}
	one, err1 := mode.Marshal(a)
	other, err2 := mode.Marshal(b)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(one, other)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":              "",
		"another type":         "\xbf\x01\x61a\xff",
		"cut in a head":        "\xbf\x01\x19\x03",
		"cut in a text":        "\xbf\x02\x65ab",
		"no stop":              "\xbf\x01\x02",
		"half a pair":          "\xbf\x01\xff",
		"a reserved length":    "\xbf\x01\x1c\xff",
		"over an int64":        "\xbf\x01\x1b\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"under an int64":       "\xbf\x01\x3b\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"a tag":                "\xbf\x09\xc0\x01\xff",
		"a float":              "\xbf\x09\xf9\x00\x00\xff",
		"text in pieces":       "\xbf\x02\x7f\x61a\xff\xff",
		"more after the value": "\xbf\xff\x00",
		"too deep":             "\xbf\x09" + strings.Repeat("\x81", 20) + "\x01\xff",
	} {
		if got, err := readRecord([]byte(data)); !errors.Is(err, cborwire.ErrFormat) {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
	for name, data := range map[string]string{
		"an unknown key":  "\xbf\x09\x82\x01\xa1\x61a\x43abc\x01\x05\xff",
		"a null":          "\xa2\x03\xf6\x01\x05",
		"a map of a size": "\xa1\x01\x05",
		"the last value":  "\xbf\x01\x02\x01\x05\xff",
	} {
		if got, err := readRecord([]byte(data)); err != nil || got.Number != 5 {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
}

// walk reads as script says and gives how many values it got, and how many
// octets of texts and blobs.
func walk(r *cborwire.Reader, script []byte) (values, octets int) {
	var step func(depth int)
	at := 0
	step = func(depth int) {
		values++
		if len(script) == 0 || depth > len(script) {
			r.Skip()
			return
		}
		call := script[at%len(script)]
		at++
		switch call % 8 {
		case 0:
			r.Int()
		case 1:
			octets += len(r.Text())
		case 2:
			octets += len(r.Blob())
		case 3:
			r.Bool()
		case 4:
			r.Array(func() { step(depth + 1) })
		case 5:
			r.Map(func(int64) { step(depth + 1) })
		case 6:
			r.Texts(func(key, value string) { values, octets = values+1, octets+len(key)+len(value) })
		default:
			r.Skip()
		}
	}
	step(0)
	return values, octets
}

// taken is how many bytes do allocates.
func taken(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzReader: whatever the data and whatever is asked of it, no more comes out
// than there is in it, what it claims of its length takes no memory, and what is
// read to its end without a fault is CBOR by another library too.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\xbf\x01\x82\x61a\x02\xff"), []byte{5, 4, 1, 0})
	f.Add([]byte("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), []byte{4, 7})
	f.Add([]byte("\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x61a\x61b"), []byte{6})
	f.Add([]byte("\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"), []byte{2})
	f.Add(bytes.Repeat([]byte{0x81}, 100), []byte{7})
	f.Fuzz(func(t *testing.T, data, script []byte) {
		kept := bytes.Clone(data)
		var r cborwire.Reader
		var values, octets int
		memory := taken(func() {
			r = cborwire.NewReader(data)
			values, octets = walk(&r, script)
		})
		// Each value may cost what asks for it, a few closures; the fuzzer's own
		// allocations are in it too.
		if bound := 64<<10 + 512*uint64(len(data)); memory > bound {
			t.Fatalf("%d octets took %d bytes of memory", len(data), memory)
		}
		if values > len(data)+1 || octets > len(data) {
			t.Fatalf("%d values and %d octets came out of %d", values, octets, len(data))
		}
		if !bytes.Equal(data, kept) {
			t.Fatal("reading changed the data")
		}
		err := r.Err()
		if err == nil {
			if err := cbor.Wellformed(data); err != nil {
				t.Fatalf("%x was read: %v", data, err)
			}
			return
		}
		if r.Int() != 0 || r.Text() != "" || len(r.Blob()) != 0 || r.Bool() || !errors.Is(r.Err(), cborwire.ErrFormat) {
			t.Fatalf("%x gives something after its fault", data)
		}
	})
}
