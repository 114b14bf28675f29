package certificate_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// What a phone read from a certificate's code is verified when it is texted, wherever the
// conversation stands; where it did not come as it was, nobody hears that the paper is
// forged, or that a number is wrong, but where to check it. Nothing of it is kept.
func TestACodeThatIsTexted(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.register.members = largeFamily()
	issued := request(t, h, "t1", certificate.Family)
	code := certificate.Payload(t, h.Service, issued.Number)
	if utf8.RuneCountInString(code) < 400 {
		t.Fatalf("the code has %d characters: it is no long text", len(code))
	}
	phones := 0
	changed := code[:200] + string('0'+(code[200]-'0'+1)%10) + code[201:]
	before := printedBefore(t, code)
	for _, loc := range []locales.Locale{locales.KY, locales.RU, ""} {
		spoken := loc
		if spoken == "" {
			spoken = locales.KY
		}
		genuine := h.Texts.Text(spoken, "certificate.code_genuine", "url", h.VerifyURL)
		elsewhere := h.Texts.Text(spoken, "problem.certificate_by_sms", "url", h.VerifyURL)
		byNumber := h.Texts.Text(spoken, "certificate.number_only")
		for text, want := range map[string]string{
			code: genuine, "вот код " + code: genuine, "Https" + code[5:] + "\n": genuine, code[:200] + "\r\n" + code[200:]: genuine,
			code[strings.Index(code, "#")+1:]: genuine, "https://eshik.example.kg/verify?lang=ru#" + code[strings.Index(code, "#")+1:]: genuine,
			before: genuine, strings.TrimPrefix(before, "ESHIK2:"): genuine, "eshik2:" + before[7:] + "\n": genuine,
			changed: elsewhere, code[:300]: elsewhere, strings.ReplaceAll(before, " ", ""): elsewhere, "ESHIK1:": elsewhere,
			"https://eshik.example.kg/verify/" + certificate.ShowNumber(issued.Number): byNumber,
			"Справка: https://eshik.example.kg/verify?number=" + issued.Number + ".":   byNumber,
			"https://eshik.example.kg/verify":                                          h.Texts.Text(spoken, "certificate.ask_number"),
		} {
			for _, at := range []string{"", "меню", "текшер"} {
				if loc == "" && at != "" {
					continue
				}
				phones++
				k := newConversation(t, h, loc)
				k.caller.Phone, k.caller.Channel, k.budget = fmt.Sprintf("+9965550020%02d", phones), caller.SMS, dialog.Budget{Septets: 459, Units: 201}
				if at != "" {
					k.start(at)
				}
				got := k.next(dialog.Input{Start: at == "", Text: text})
				if !strings.Contains(got, want) {
					t.Errorf("%q, after %q: %.40q is answered %q, want %q", loc, at, text, got, want)
				}
				if kept := string(k.state.Encode()); strings.Contains(kept, code[20:60]) {
					t.Error("the state keeps the code")
				}
			}
		}
	}
}
