package certificate

import (
	"crypto/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawNumber(t testing.TB) string {
	t.Helper()
	number, err := newNumber(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// TestNumberFindsMistakes tries every one wrong character and every pair of
// characters that changed places.
func TestNumberFindsMistakes(t *testing.T) {
	t.Parallel()
	for range 50 {
		number := drawNumber(t)
		if got, ok := ParseNumber(number); !ok || got != number {
			t.Fatalf("%s is not itself: %s", number, got)
		}
		for i := range numberLength {
			for _, r := range alphabet {
				wrong := number[:i] + string(r) + number[i+1:]
				if _, ok := ParseNumber(wrong); ok != (wrong == number) {
					t.Errorf("%s for %s: %v", wrong, number, ok)
				}
			}
			for j := range i {
				b := []byte(number)
				b[i], b[j] = b[j], b[i]
				if _, ok := ParseNumber(string(b)); ok != (string(b) == number) {
					t.Errorf("%s for %s: %v", b, number, ok)
				}
			}
		}
	}
}

// TestNumberAsPeopleType reads a number in Cyrillic, in lower case, in groups.
func TestNumberAsPeopleType(t *testing.T) {
	t.Parallel()
	number := "ABCEHKMPTX" + string(checkCharacter("ABCEHKMPTX"))
	for _, typed := range []string{
		ShowNumber(number), strings.ToLower(number), " ABCE HKMP TX" + number[10:] + " ",
		"АВСЕ-НКМР-ТХ" + number[10:], "авсе нкмр тх" + strings.ToLower(number[10:]), "ABCE—HKMP—TX" + number[10:],
	} {
		if got, ok := ParseNumber(typed); !ok || got != number {
			t.Errorf("%q is %q, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{
		"", number[:10], number + "A", "😀", "٣٤٥٦٧٨٩٣٤٥٦", strings.Repeat("A", 10_000), "0" + number[1:], "*" + number,
	} {
		if got, ok := ParseNumber(typed); ok {
			t.Errorf("%.20q is read as %q", typed, got)
		}
	}
}

func TestNumberProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.String().Draw(t, "typed")
		if number, ok := ParseNumber(typed); ok {
			if again, ok := ParseNumber(ShowNumber(number)); !ok || again != number {
				t.Fatalf("%q gives %q gives %q", typed, number, again)
			}
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	f.Add("K7MN-4PQR-2XH")
	f.Add("авсе нкмр тх2")
	f.Fuzz(func(t *testing.T, typed string) {
		number, ok := ParseNumber(typed)
		if ok && (len(number) != numberLength || checkCharacter(number[:randomLength]) != number[randomLength]) {
			t.Fatalf("%q gives %q", typed, number)
		}
	})
}
