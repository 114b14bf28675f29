package session

import (
	"bytes"
	"encoding/base64"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// filled is a conversation of which every field has a value of its own.
func filled(tb testing.TB, salt int) *conversation {
	tb.Helper()
	t := new(conversation)
	fields := reflect.ValueOf(t).Elem()
	for i := range fields.NumField() {
		n := salt + i + 1
		switch field := fields.Field(i); field.Kind() {
		case reflect.Int, reflect.Int64:
			field.SetInt(int64(n) << 40)
		case reflect.String:
			field.SetString(strings.Repeat("ө", n))
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Slice:
			field.SetBytes(bytes.Repeat([]byte{byte(n)}, n*20))
		default:
			tb.Fatalf("no value is known for a %s", field.Kind())
		}
	}
	return t
}

// A field that somebody adds to a conversation and forgets to write is lost with the
// first turn.
func TestRecordKeepsEveryField(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*phoneRecord{
		"empty": {}, "USSD": {USSD: filled(t, 0)}, "SMS": {SMS: filled(t, 7)}, "both": {USSD: filled(t, 0), SMS: filled(t, 30)},
		"known":             {Known: &known{Locale: locales.RU, Tenure: 2, Read: 3}},
		"new conversations": {USSD: new(conversation), SMS: new(conversation)},
	} {
		if got, err := decodeRecord(b.encode()); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%s became %+v, %v", name, got, err)
		}
	}
}

// A newer build's fields are passed over; anything else that is no record is an
// error, which tells nothing of it.
func TestBookOfOthers(t *testing.T) {
	t.Parallel()
	newer := []byte("\x01\x82\xa3new\xa6canary\xa1s\x82\xa4more\x01\xa1t\xaaСалам")
	if b, err := decodeRecord(newer); err != nil || b.SMS == nil || b.SMS.Text != "Салам" || b.USSD != nil {
		t.Errorf("a newer build's book is %+v, %v", b, err)
	}
	whole := (&phoneRecord{USSD: filled(t, 0)}).encode()
	for name, data := range map[string][]byte{
		"nothing": nil, "cut short": whole[:len(whole)/2], "with more": append(bytes.Clone(whole), 0), "a text": []byte("canary"),
		"a conversation that is none": []byte("\x01\x81\xa1u\xa6canary"), "an unknown format": []byte("\x02\x80"),
		"a conversation that is none, in CBOR": {0xa1, keyUSSD, 0x66, 'c', 'a', 'n', 'a', 'r', 'y'},
	} {
		if b, err := decodeRecord(data); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s is read as %+v, %v", name, b, err)
		}
	}
}

// A record that the last build before msgwire wrote, with a value in every field it
// had.
func TestRecordOfBuildBefore(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/record.cbor.txt")
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	want := &phoneRecord{USSD: filled(t, 0), SMS: filled(t, 3), Known: &known{Locale: locales.KYLatn, Tenure: 7, Read: 1_763_000_000_000_000}}
	if got, err := decodeRecord(data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read as %+v, %v", got, err)
	}
}

// FuzzRecord: any octets are a record or an error, and a record is the same after it
// was written.
func FuzzRecord(f *testing.F) {
	f.Add((&phoneRecord{USSD: filled(f, 0), SMS: filled(f, 30)}).encode())
	f.Add((&phoneRecord{}).encode())
	f.Add([]byte{0xbf, keySMS, 0xbf, keyState, 0xf6, 0xff, 0xff})
	f.Add([]byte("\x01\x81\xa1u\x81\xa1s\xc6\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeRecord(data)
		if err != nil {
			return
		}
		written := b.encode()
		again, err := decodeRecord(written)
		if err != nil || !bytes.Equal(again.encode(), written) {
			t.Fatalf("%x became %x, %v", data, written, err)
		}
	})
}
