package api

import (
	"cmp"
	"net/http"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
)

// TestTheLanguageOfMessages: a message goes to the phone's owner, whoever asks for it. It
// is in the language that the owner chose, else in Kyrgyz or Russian as the request has
// it, and never in English; the answer is in the request's language all the same.
func TestTheLanguageOfMessages(t *testing.T) {
	t.Parallel()
	const aigul, bakyt, elena = "+996555000001", "+996700000002", "+996770000003"
	tokens := map[string]string{aigul: "good", bakyt: "other", elena: "phone"}
	app := serving(t, chosen{aigul: locales.RU, bakyt: locales.EN}, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		who := CallerFrom(ctx)
		if named := c.Get("X-Named"); named != "" {
			var err error
			if who, err = CallerNamed(ctx, named); err != nil {
				return err
			}
		}
		return c.SendString(who.Phone + " " + string(who.Locale) + " " + string(LocaleFrom(ctx)))
	})
	for _, test := range []struct {
		phone, accept    string
		message, answers locales.Locale
	}{
		{aigul, "", locales.RU, locales.KY},
		{aigul, "en", locales.RU, locales.EN},
		{aigul, "ky, en;q=0.5", locales.RU, locales.KY},
		{bakyt, "en", locales.KY, locales.EN},
		{bakyt, "en, ru;q=0.3", locales.RU, locales.EN},
		{elena, "", locales.KY, locales.KY},
		{elena, "en", locales.KY, locales.EN},
		{elena, "ru", locales.RU, locales.RU},
		{elena, "de, ru;q=0.1, ky;q=0.05", locales.RU, locales.RU},
		{elena, "ky-Latn", locales.KY, locales.KYLatn},
		{elena, "!!", locales.KY, locales.KY},
	} {
		want := test.phone + " " + string(test.message) + " " + string(test.answers)
		for way, headers := range map[string][]string{
			"/v1/profile": {"Authorization", "Bearer " + tokens[test.phone]}, "/v1/preschool/districts": {"X-Named", test.phone},
		} {
			status, body, _ := call(t, app, http.MethodGet, way, "", append(headers, "Accept-Language", test.accept)...)
			if status != http.StatusOK || body != want {
				t.Errorf("%s, %q: %d %q, not %q", way, test.accept, status, body, want)
			}
		}
	}
}

// TestEveryMessageAsksThePhone: an operation that names a phone has no token, and one
// with a token is about the token's phone. So every one that may send a message gets its
// language by about.
func TestEveryMessageAsksThePhone(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("citizen/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if len(secured(document, operation)) == 0 && method != http.MethodGet {
				open[cmp.Or(operation.OperationID, method)] = true
			}
		}
	}
	// Those without a token that change something: the first two name a phone, and take
	// their caller from CallerNamed. The next two send none, and those of shared certificates
	// write to the holder's phones, each in its own language.
	for _, id := range []string{"sendCode", "issueToken", "verifyCode", "refreshToken", "openSharedCertificate", "downloadSharedCertificate"} {
		if !open[id] {
			t.Errorf("%s needs a token", id)
		}
		delete(open, id)
	}
	if len(open) > 0 {
		t.Errorf("in which language are the messages of %v?", open)
	}
}
