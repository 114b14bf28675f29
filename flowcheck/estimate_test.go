package flowcheck

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestMessagesKeepTheirBounds: no translation makes a message take more parts
// than it is listed with.
func TestMessagesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	all := estimates(texts)
	if err := tooLong(all); err != nil {
		t.Error(err)
	}
	if want := len(texts.Messages()) * len(locales.All); len(all) != want || want == 0 {
		t.Errorf("%d estimates, want %d", len(all), want)
	}
	long := estimate{key: "x", locale: locales.RU, bound: 1, size: gsm.Measure(strings.Repeat("ж", 71))}
	if err := tooLong(append(all, long)); err == nil || !strings.Contains(err.Error(), "x in ru takes 2 parts") {
		t.Errorf("a message that is too long gave %v", err)
	}
}
