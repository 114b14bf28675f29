package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestMessagesSpeakThePhonesLanguage: whoever asks over REST, in whatever language, the
// message is in the one that the phone chose, and without a choice never in English.
func TestMessagesSpeakThePhonesLanguage(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	ask := func(phone, accept string) {
		t.Helper()
		in := map[string]string{"phone": phone}
		if status := d.json(http.MethodPost, "/v1/codes", "", in, nil, "Accept-Language", accept); status != http.StatusAccepted {
			t.Fatalf("a code for %s: %d", phone, status)
		}
	}
	const elena, kyrgyz, russian = "+996770000003", "Аны эч кимге айтпаңыз", "Никому его не говорите"
	ask(elena, "en")
	d.await(elena, kyrgyz)
	ask(elena, "en, ru;q=0.5")
	d.await(elena, russian)

	token := d.signIn(aigul)
	if status := d.json(http.MethodPut, "/v1/language", token, map[string]string{"language": "ru"}, nil); status != http.StatusNoContent {
		t.Fatalf("choose a language: %d", status)
	}
	ask(aigul, "ky")
	d.await(aigul, russian)

	var made struct{ Number string }
	proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
	if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
		t.Fatalf("prove: %d", status)
	}
	order := map[string]string{"kind": "RESIDENCE"}
	status := d.json(http.MethodPost, "/v1/certificates", token, order, &made, "Idempotency-Key", "language-of-a-message", "Accept-Language", "en")
	if status != http.StatusCreated {
		t.Fatalf("order: %d", status)
	}
	if text := d.await(aigul, made.Number); !strings.Contains(text, "Справка") {
		t.Errorf("the number came as %q", text)
	}
}
