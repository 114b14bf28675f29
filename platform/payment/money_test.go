package payment_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/payment"
)

func TestTyiyn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount        payment.Tyiyn
		read, written string
	}{
		{0, "0", "0.00"}, {5, "0,05", "0.05"}, {150_000, "1 500", "1500.00"}, {150_050, "1 500,50", "1500.50"},
		{100_000_000, "1 000 000", "1000000.00"}, {-150_050, "-1 500,50", "-1500.50"}, {99_900, "999", "999.00"},
	} {
		if c.amount.String() != c.read || c.amount.Decimal() != c.written {
			t.Errorf("%d: %q, %q", int64(c.amount), c.amount.String(), c.amount.Decimal())
		}
	}
	for text, want := range map[string]payment.Tyiyn{"1500": 150_000, "1500.5": 150_050, "1500.05": 150_005, "0.00": 0} {
		if got, err := payment.ParseSom(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "1.005", "-1", "+1", "1e3", "1,5", "1 000", "١", "1234567890123"} {
		if got, err := payment.ParseSom(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

func TestDecimalReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := payment.Tyiyn(rapid.Int64Range(0, 99_999_999_999_999).Draw(t, "amount"))
		if back, err := payment.ParseSom(amount.Decimal()); err != nil || back != amount {
			t.Fatalf("%s: %d, %v", amount.Decimal(), back, err)
		}
	})
}

// Every single wrong digit and every swap of neighbours must be found: a wrong
// code would pay somebody else's fine.
func TestCodeFindsTypingMistakes(t *testing.T) {
	t.Parallel()
	valid := validCode(t)
	for i := range valid {
		for d := byte('0'); d <= '9'; d++ {
			typed := []byte(valid)
			typed[i] = d
			if d != valid[i] && payment.ValidCode(string(typed)) {
				t.Errorf("%s passes for %s", typed, valid)
			}
		}
		if i > 0 && valid[i] != valid[i-1] {
			typed := []byte(valid)
			typed[i], typed[i-1] = typed[i-1], typed[i]
			if payment.ValidCode(string(typed)) {
				t.Errorf("%s passes for %s", typed, valid)
			}
		}
	}
	for _, bad := range []string{"", "1", "0000000000", valid + "1", valid[:9], valid[:9] + "a"} {
		if payment.ValidCode(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

// validCode completes nine digits by trying each check digit.
func validCode(t *testing.T) string {
	t.Helper()
	for d := range 10 {
		if code := "572419836" + strconv.Itoa(d); payment.ValidCode(code) {
			return code
		}
	}
	t.Fatal("no check digit fits")
	return ""
}
