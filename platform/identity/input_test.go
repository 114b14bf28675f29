package identity_test

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/identity"
)

// TestParseCode: the one six-digit number of a short text is the code, however it is
// written. Of two different ones, of another length, or in a long text there is none.
func TestParseCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"639499": "639499", " 639 499 ": "639499", "639-499": "639499", "639—499": "639499", "6 3 9 4 9 9": "639499", "№639499.": "639499", "٦٣٩٤٩٩": "639499", "６３９４９９": "639499",
		"𝟞𝟛𝟡𝟜𝟡𝟡": "639499", "639\u200b499": "639499",
		"менин кодум 639499": "639499", "код: 639499": "639499", "Кодум — 639 499, рахмат!": "639499", "SMSте 639499 деген код келди": "639499", "КОД639499": "639499",
		"Эшик. Код: 639499. Аны эч кимге айтпаңыз.": "639499",
		"мой код 639499": "639499", "код: 639-499": "639499", "вот код из смс 639499, спасибо": "639499", "Эшик. Код: 639499. Никому его не говорите.": "639499",
		"menin kodum 639499": "639499", "kod: 639-499": "639499", "kod639499": "639499",
		"my code is 639499": "639499", "code 639 499 thanks": "639499", "G-639499": "639499",
		"639499 эмес, 639498": "", "639499 же 123 456": "", "639499 или 123456": "", "639499 123456": "", "639499 же 639 499": "639499",
		"": "", "код": "", "63949": "", "6394990": "", "мой код 63949": "", "1 639499": "", "639499 1": "", "11503198800011": "", "0555 639499": "",
		"ID639499": "", "паспорт AN639499": "", "01KG639499": "", "A639499": "",
		strings.Repeat("сөз ", 30) + "639499": "",
	} {
		if got, ok := identity.ParseCode(text, false); got != want || ok != (want != "") {
			t.Errorf("ParseCode(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

// TestParseLongCode: over REST twelve digits are a code as well.
func TestParseLongCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"123456789012": "123456789012", "1234 5678 9012": "123456789012", "1234-5678-9012": "123456789012", "Эшик. Код: 1234 5678 9012.": "123456789012",
		"639499": "639499", "639 499": "639499", "1234 5678": "", "12345678901": "", "1234567890123": "", "": "",
	} {
		if got, ok := identity.ParseCode(text, true); got != want || ok != (want != "") {
			t.Errorf("ParseCode(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
	if got, ok := identity.ParseCode("1234 5678 9012", false); ok {
		t.Errorf("on a phone's own call %q is a code", got)
	}
}

func TestParsePIN(t *testing.T) {
	for text, want := range map[string]string{
		"11503198800011": "11503198800011", " 1 1503 1988 00011 ": "11503198800011", "1-15031988-00011": "11503198800011",
		"١١٥٠٣١٩٨٨٠٠٠١١": "11503198800011", "１１５０３１９８８０００１１": "11503198800011", "1150319880001": "",
		"ИНН 11503198800011": "11503198800011", "мой инн: 1 1503 1988 00011": "11503198800011", "жеке номерим 115-031-988-00011": "11503198800011", "ПИН11503198800011": "11503198800011",
		"PIN: 11503198800011, thanks": "11503198800011", "инн 11503198800011 или 22107197900022": "", "инн 1150319880001": "", "№ 11503198800011": "11503198800011",
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
		"паспорт ID 1000001": "ID1000001", "картам ИД1000001": "ID1000001", "менин картам 1000001": "ID1000001", "карта № 100 0001": "ID1000001", "паспорт: an 1234567": "AN1234567",
		"на 1000001 жазылган": "ID1000001", "my no 1000001, thanks": "ID1000001", "passport EA1234567 please": "EA1234567", "ID1000001 же ID1000002": "", "ID1000001 ID1000002": "",
		"карта ID100000": "", "инн 11503198800011": "", "1000001 же 1000002": "", "ID1000001, ID 1000001": "ID1000001",
		"ID-100-0001": "ID1000001", "ID100000": "", "ID10000011": "", "I1000001": "", "": "", "ЖЖ1234567": "", "ID100000O": "",
	} {
		got, ok := identity.ParseDocument(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("ParseDocument(%q) = %q, %v", text, got, ok)
		}
	}
}

// Both numbers in one text are read in either order, with and without words; a text that has
// only one of them, or two of one kind, is not.
func TestParseBoth(t *testing.T) {
	t.Parallel()
	const both = "22001199500001 ID1234567"
	for text, want := range map[string]string{
		"22001199500001 ID1234567": both, "22001199500001ID1234567": both, "22001199500001,ID1234567": both, "22001199500001 / ид 1234567": both,
		"ID1234567 22001199500001": both, "ID 1234567, 2 2001 1995 00001": both, "22001199500001 1234567": both, "1234567 22001199500001": both,
		"22001199500001\nID1234567": both, "ИНН 22001199500001 паспорт ID1234567": both, "инн: 22001199500001; картам ID-123-4567, рахмат": both,
		"жеке номерим 22001199500001 картам 1234567": both, "2-20011995-00001 AN1234567": "22001199500001 AN1234567",
		"22001199500001": "", "ID1234567": "", "22001199500001 ID123456": "", "2200119950000 ID1234567": "", "22001199500001 22001199500002": "",
		"22001199500001 ID1234567 ID1234568": "", "220011995000011234567": "", "": "", "ИНН паспорт": "", strings.Repeat("сөз ", 30) + both: "",
	} {
		pin, document, ok := identity.ParseBoth(text)
		if got := strings.TrimSpace(pin + " " + document); got != want || ok != (want != "") {
			t.Errorf("ParseBoth(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func FuzzInput(f *testing.F) {
	for _, text := range []string{"11503198800011", "ID1000001", "ид 1000001", "١١٥", "\xff", "𝟙𝟚𝟛", "11503198800011 ID1000001"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if pin, ok := identity.ParsePIN(text); ok {
			if again, ok := identity.ParsePIN(pin); !ok || again != pin || len(pin) != 14 {
				t.Errorf("%q was read as %q and then %q", text, pin, again)
			}
		}
		if pin, document, ok := identity.ParseBoth(text); ok {
			if p, d, ok := identity.ParseBoth(pin + " " + document); !ok || p != pin || d != document {
				t.Errorf("%q was read as %q and %q, and then as %q and %q", text, pin, document, p, d)
			}
		}
		if document, ok := identity.ParseDocument(text); ok {
			if again, ok := identity.ParseDocument(document); !ok || again != document || len(document) != 9 {
				t.Errorf("%q was read as %q and then %q", text, document, again)
			}
		}
	})
}
