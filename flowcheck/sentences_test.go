package flowcheck

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// TestEverySentenceFits lays every sentence out with its longest values: none is
// longer than the three parts of one answer by SMS. Those over one USSD screen
// are logged; the engine pages them.
func TestEverySentenceFits(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	long := 0
	for _, key := range texts.Keys() {
		for loc := range languageChoice {
			text := longestText(texts, loc, key)
			if spoken(key) && !sms.Budget.Fits(text) {
				t.Errorf("%s in %s is longer than an SMS of three parts: %q", key, loc, text)
			}
			if placeholder.MatchString(text) || strings.TrimSpace(text) == "" {
				t.Errorf("%s in %s: %q", key, loc, text)
			}
			if spoken(key) && !strings.Contains(key, "sms") && !ussd.DefaultBudget.Fits(text) {
				long++
				t.Logf("over one USSD screen: %s in %s: %q", key, loc, text)
			}
		}
	}
	t.Logf("%d keys, %d sentences over one USSD screen", len(texts.Keys()), long)
}

// TestUnpagedSentencesFit: what is said where no engine could page it fits the
// smallest screen that a gateway may have.
func TestUnpagedSentencesFit(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	for _, key := range []string{"dialog.session_over", "dialog.later", "ussd.apology"} {
		for loc := range languageChoice {
			if text := texts.Text(loc, key); !dialog.MinBudget.Fits(text) {
				t.Errorf("%s in %s is longer than the smallest screen: %q", key, loc, text)
			}
		}
	}
}

// spoken tells the sentences of conversations and messages from those of pages, of the
// certificate's document and of what is wrong with an app's request.
func spoken(key string) bool {
	for _, page := range []string{"phone.", "verify.", "certificate.pdf_", "fault."} {
		if strings.HasPrefix(key, page) {
			return false
		}
	}
	return true
}
