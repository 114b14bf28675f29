package identity_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/identity"
)

func TestParsePIN(t *testing.T) {
	for text, want := range map[string]string{
		"11503198800011": "11503198800011", " 1 1503 1988 00011 ": "11503198800011", "1-15031988-00011": "11503198800011",
		"١١٥٠٣١٩٨٨٠٠٠١١": "11503198800011", "１１５０３１９８８０００１１": "11503198800011", "1150319880001": "",
		"115031988000111": "", "1150319880001a": "", "": "", "ПИН": "", "115031988000１1": "11503198800011",
	} {
		got, ok := identity.ParsePIN(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("ParsePIN(%q) = %q, %v", text, got, ok)
		}
	}
}

func TestParseDocument(t *testing.T) {
	for text, want := range map[string]string{
		"ID1000001": "ID1000001", "id1000001": "ID1000001", "id 1000001": "ID1000001", "ИД1000001": "ID1000001",
		"ид № 1000001": "ID1000001", "1000001": "ID1000001", "AN1234567": "AN1234567", "ас1234567": "AC1234567",
		"ID-100-0001": "ID1000001", "ID100000": "", "ID10000011": "", "I1000001": "", "": "", "ЖЖ1234567": "", "ID100000O": "",
	} {
		got, ok := identity.ParseDocument(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("ParseDocument(%q) = %q, %v", text, got, ok)
		}
	}
}

func FuzzInput(f *testing.F) {
	for _, text := range []string{"11503198800011", "ID1000001", "ид 1000001", "١١٥", "\xff", "𝟙𝟚𝟛"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if pin, ok := identity.ParsePIN(text); ok {
			if again, ok := identity.ParsePIN(pin); !ok || again != pin || len(pin) != 14 {
				t.Errorf("%q was read as %q and then %q", text, pin, again)
			}
		}
		if document, ok := identity.ParseDocument(text); ok {
			if again, ok := identity.ParseDocument(document); !ok || again != document || len(document) != 9 {
				t.Errorf("%q was read as %q and then %q", text, document, again)
			}
		}
	})
}
