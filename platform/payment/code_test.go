package payment_test

import (
	"strconv"
	"testing"

	"github.com/eshik-kg/eshik/platform/payment"
)

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
