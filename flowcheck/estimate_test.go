package flowcheck

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/gsm"
)

// TestMessagesKeepTheirBounds: no translation makes a message take more parts
// than it is listed with.
func TestMessagesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	must(t, err)
	all := Estimates(texts)
	if err := TooLong(all); err != nil {
		t.Error(err)
	}
	if want := len(texts.Messages()) * len(locales.All); len(all) != want || want == 0 {
		t.Errorf("%d estimates, want %d", len(all), want)
	}
	long := Estimate{Key: "x", Locale: locales.RU, Bound: 1, Size: gsm.Measure(strings.Repeat("ж", 71))}
	if err := TooLong(append(all, long)); err == nil || !strings.Contains(err.Error(), "x in ru takes 2 parts") {
		t.Errorf("a message that is too long gave %v", err)
	}
}
