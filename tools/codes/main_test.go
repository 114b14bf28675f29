package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
)

// TestTheListIsPublished (A3): the guide is what the source says.
func TestTheListIsPublished(t *testing.T) {
	t.Parallel()
	want, err := write("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../" + guide)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is behind the source: run `make codes`", guide)
	}
	for _, code := range []string{"problem.level_proven", "problem.request", "problem.internal", "`required`"} {
		if !strings.Contains(want, code) {
			t.Errorf("the list lacks %s", code)
		}
	}
}

// TestEverySentenceIsListed: a problem that has a sentence and is in no list is
// made in a way that the list does not see.
func TestEverySentenceIsListed(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	codes, err := find("../..")
	if err != nil {
		t.Fatal(err)
	}
	conversation, listed := spoken(t), map[string]bool{}
	for _, c := range codes {
		listed[c.key] = true
		if !texts.Has(c.key) {
			t.Errorf("%s has no sentence", c.key)
		}
	}
	for _, key := range texts.Keys() {
		if strings.HasPrefix(key, "problem.") && !listed[key] && key != partners && !strings.Contains(conversation, `"`+key+`"`) {
			t.Errorf("%s is made by nobody that the list sees", key)
		}
	}
	if len(listed) < 40 || len(api.FaultCodes) < 10 {
		t.Errorf("%d problems, %d faults: too few to be all", len(listed), len(api.FaultCodes))
	}
}

// partners is the problem that only the partners' protocol answers with.
const partners = "problem.partner_secret"

// spoken reads the source of the conversation, whose problems REST never answers.
func spoken(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, folder := range []string{"platform/dialog", "platform/session", "ussd", "sms"} {
		files, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(source)
		}
	}
	return out.String()
}
