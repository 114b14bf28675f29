package certificate

import (
	"encoding/json"
	"reflect"
	"slices"
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
	for _, k := range kinds {
		for field, value := range reflect.ValueOf(k).Fields() {
			if value.IsZero() {
				t.Errorf("the kind %q has no %s", k.code, field.Name)
			}
		}
		if seen[string(k.code)] || seen[k.public] || KindOf(k.public) != k.code || !k.code.Known() {
			t.Errorf("the kind %q, %q is there twice, or is not found by its name", k.code, k.public)
		}
		seen[string(k.code)], seen[k.public] = true, true
		for _, key := range []string{k.code.TitleKey(), "certificate.pdf_title_" + string(k.code), k.source} {
			if !texts.Has(key) {
				t.Errorf("the kind %q has no text %s", k.code, key)
			}
		}
		if names := texts.Placeholders(k.source); !slices.Equal(names, []string{"date"}) {
			t.Errorf("the source %s has the places %v, not {date}", k.source, names)
		}
	}
	if KindOf("") != "" || KindOf("residence").Known() || Kind("").Known() {
		t.Error("a kind that nobody knows is known")
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
