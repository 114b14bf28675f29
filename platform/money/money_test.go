package money_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/money"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount        money.Amount
		read, written string
	}{
		{0, "0", "0.00"}, {5, "0,05", "0.05"}, {150_000, "1 500", "1500.00"}, {150_050, "1 500,50", "1500.50"},
		{100_000_000, "1 000 000", "1000000.00"}, {-150_050, "-1 500,50", "-1500.50"}, {99_900, "999", "999.00"},
	} {
		if c.amount.String() != c.read || c.amount.Decimal() != c.written {
			t.Errorf("%d: %q, %q", int64(c.amount), c.amount.String(), c.amount.Decimal())
		}
	}
	for text, want := range map[string]money.Amount{"1500": 150_000, "1500.5": 150_050, "1500.05": 150_005, "0.00": 0} {
		if got, err := money.ParseSom(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "1.005", "-1", "+1", "1e3", "1,5", "1 000", "١", "1234567890123"} {
		if got, err := money.ParseSom(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

func TestDecimalReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := money.Amount(rapid.Int64Range(0, 99_999_999_999_999).Draw(t, "amount"))
		if back, err := money.ParseSom(amount.Decimal()); err != nil || back != amount {
			t.Fatalf("%s: %d, %v", amount.Decimal(), back, err)
		}
	})
}
