package staff

import (
	"errors"
	"strings"
	"testing"
)

// TestPasswords: what officers may choose, and what guessers try first.
func TestPasswords(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]error{
		"үч көк айгыр секирди":     nil,
		"ұзақ жол, вода 7 камней":  nil,
		"correct kettle orbit":     nil,
		"         x   y       z q": nil, // spaces are characters
		"qwe-7h2kd03mv":            nil,
		"":                         ErrShort,
		"elevenchars":              ErrShort,
		"он бир тамга":             nil,
		"тогуз тамга":              ErrShort,
		strings.Repeat("ab7q", 65): ErrLong,
		"line one\nline two x":     ErrLong,
		"bad \xff bytes here ok":   ErrLong,
		"1q2w3e4r5t6y":             ErrCommon,
		"Baseball2024!!":           ErrCommon,
		"123456789Dragon":          ErrCommon,
		"dragondragon12":           ErrCommon,
		"aaaaaaaaaaaaaaa":          ErrCommon,
		"xyzyxyzyxyzyx":            ErrCommon,
		"q7w9q7w9q7w9q7w9":         ErrCommon,
		"abcdefghijklm":            ErrCommon,
		"987654321098":             ErrCommon,
		"asel-asel-asel":           ErrNamed,
		"Asel-Bishkek-24":          ErrNamed,
		"eshik-2026-asel":          ErrNamed,
		"Пароль-Эшик-1":            ErrNamed,
	} {
		if err := checkPassword(password, "asel", "1024"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
	if n := len(common()); n < 4000 {
		t.Errorf("only %d passwords are known", n)
	}
}
