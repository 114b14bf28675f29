package certificate

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// TestKinds: whoever adds a kind says all about it, and in every language.
func TestKinds(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range catalogue() {
		if seen[string(k.Code)] || seen[k.Public] || KindOf(k.Public) != k.Code || k.Code.Known() != (k.Mapping != "") {
			t.Errorf("the kind %q, %q is there twice, or is not found by its name", k.Code, k.Public)
		}
		seen[string(k.Code)], seen[k.Public] = true, true
		for _, key := range keysOf(k) {
			if !texts.Has(key) {
				t.Errorf("the kind %q has no text %s", k.Code, key)
			}
		}
	}
	if len(seen) != 2*19 {
		t.Errorf("%d names of 19 kinds", len(seen))
	}
	if KindOf("") != "" || KindOf("residence") != "" || Kind("").Known() {
		t.Error("a kind that nobody knows is known")
	}
}

// keysOf are the texts that a kind needs.
func keysOf(k Entry) []string {
	keys := []string{k.Code.TitleKey(), k.AtKey()}
	if k.Mapping == "" {
		return keys
	}
	keys = append(keys, "seen.certificate.request."+string(k.Code), "certificate.pdf_source_"+k.Register)
	for _, f := range k.Facts {
		keys = append(keys, "certificate.fact_"+f.Name)
	}
	if len(k.Rows) > 0 {
		keys = append(keys, "certificate.rows_"+string(k.Code), "certificate.none_"+string(k.Code))
	}
	return keys
}

// TestABadCatalogueIsRefused: what nothing reads, a mark that is none, a source that is not said, a
// mapping that is not there.
func TestABadCatalogueIsRefused(t *testing.T) {
	t.Parallel()
	entry := func(change func(string) string) string {
		return change(`[[kind]]
public = "X"
code = "x"
register = "aimak"
way = {is = "automatic", mark = "unverified"}
level = {is = 3, mark = "unverified"}
names = {ky = "а", ru = "а", en = "a", mark = "unverified"}
mapping = "residence"
facts = ["a", "b:day"]
`)
	}
	if _, err := readCatalogue([]byte(entry(strings.Clone))); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"public = ", "publick = "}, {`"automatic", mark = "unverified"`, `"automatic", mark = "sourced"`}, {`mark = "unverified"`, `mark = "sure"`},
		{`"residence"`, `"nowhere"`}, {"b:day", "b:daily"}, {`"automatic"`, `"clerk"`}, {`en = "a"`, `en = ""`}, {`"x"`, `""`},
	} {
		if _, err := readCatalogue([]byte(entry(func(s string) string { return strings.Replace(s, change[0], change[1], 1) }))); err == nil {
			t.Errorf("a catalogue with %q was read", change[1])
		}
	}
}

// TestUnverifiedFactsAreListed: the operators' guide lists the facts of the catalogue that nobody
// confirms, by kind.
func TestUnverifiedFactsAreListed(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guides/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range catalogue() {
		if line := k.Public + ": " + strings.Join(k.Unverified(), ", "); len(k.Unverified()) > 0 && !strings.Contains(string(guide), line) {
			t.Errorf("the operators' guide does not list %q", line)
		}
	}
}

// stored is an intent as it was written before its fields had explicit names.
const stored = `{"record":{"kind":"family","holder":{"name":"Асанова Айгүл","born":"1988-03-15"},"address":"Чүй облусу",` +
	`"members":[{"name":"Асанов Бакыт","born":"1979-10-22","relation":"spouse"}],"places":1},` +
	`"caller":{"Phone":"+996555000001","Subject":"s","Channel":"ussd","Gateway":"plain","Operator":"MegaCom","Locale":"ky",` +
	`"Address":"127.0.0.1","Now":"2026-11-23T06:00:00Z","Talk":"a","Turn":"b"}}`

// TestStoredIntents: what was stored is read, and is written the same.
func TestStoredIntents(t *testing.T) {
	t.Parallel()
	var in intent
	if err := json.Unmarshal([]byte(stored), &in); err != nil {
		t.Fatal(err)
	}
	want := intent{
		Record: Record{
			Kind: Family, Holder: Person{Name: "Асанова Айгүл", Born: "1988-03-15"}, Address: "Чүй облусу", Places: 1,
			Members: []Member{{Person: Person{Name: "Асанов Бакыт", Born: "1979-10-22"}, Relation: "spouse"}},
		},
		Caller: keptCaller(caller.Caller{
			Phone: "+996555000001", Subject: "s", Channel: caller.USSD, Gateway: "plain", Operator: "MegaCom", Locale: locales.KY,
			Address: "127.0.0.1", Now: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC), Session: "a", Key: "b",
		}),
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("read: %+v", in)
	}
	if written, err := json.Marshal(in); err != nil || string(written) != stored {
		t.Errorf("written: %s, %v", written, err)
	}
}
