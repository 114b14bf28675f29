package citizen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// nobody is a register of no persons.
type nobody struct{}

func (nobody) CheckPerson(context.Context, registry.Call, string, string) (registry.Person, error) {
	return registry.Person{}, nil
}

// door is the REST interface with real identities.
type door struct {
	t      *testing.T
	app    *fiber.App
	outbox *notify.Outbox
}

func newDoor(t *testing.T) *door {
	t.Helper()
	w := testworld.New(t, storetest.Open(t, storetest.NewSQLite(t)), testworld.Setup{Start: time.Now()})
	d := &door{t: t, outbox: w.Outbox}
	people, err := identity.New(identity.Deps{
		DB: w.DB, Sealer: w.Sealer, Trail: w.Trail, Limiter: limit.NewMemory(time.Now), Registry: nobody{}, Texts: w.Texts,
		Now: time.Now, Random: rand.Reader, Log: w.Log,
	})
	testworld.OK(t, err)
	contract, err := api.NewContract(Document, Audience(func(ctx context.Context, token string) (api.Principal, error) {
		p, err := people.Authenticate(ctx, token)
		return api.Principal{Phone: p.Phone, Subject: p.CitizenID, Level: p.Level, SignIn: p.SignIn}, err
	}, nil, people, func(turn string) string { return w.Sealer.Index("rest.turn", turn) }, time.Now))
	testworld.OK(t, err)
	d.app = fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(w.Texts, w.Log), Immutable: true})
	testworld.OK(t, whole(Server{Identity: people, Recorder: w.Recorder, Texts: w.Texts}).Mount(d.app, contract))
	return d
}

// call makes a request; headers are pairs. It wants a status and gives the answer.
func (d *door) call(want int, method, path, body string, headers ...string) []byte {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.app.Test(r, -1)
	testworld.OK(d.t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	testworld.OK(d.t, err)
	if response.StatusCode != want {
		d.t.Fatalf("%s %s: %d %s, not %d", method, path, response.StatusCode, data, want)
	}
	return data
}

func (d *door) tokens(data []byte) (t Token) {
	d.t.Helper()
	testworld.OK(d.t, json.Unmarshal(data, &t))
	return t
}

func (d *door) signIn(device string) Token {
	d.t.Helper()
	d.call(http.StatusAccepted, http.MethodPost, "/v1/codes", `{"phone": "`+parker+`"}`)
	list, err := d.outbox.List(d.t.Context(), parker)
	testworld.OK(d.t, err)
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(list[0].Text)
	return d.tokens(d.call(http.StatusOK, http.MethodPost, "/v1/tokens", fmt.Sprintf(`{"phone": %q, "code": %q, "device": %q}`, parker, code, device)))
}

func (d *door) refresh(want int, token, key string) []byte {
	d.t.Helper()
	return d.call(want, http.MethodPost, "/v1/tokens/refresh", `{"refresh_token": "`+token+`"}`, "Idempotency-Key", key)
}

func bearer(token string) (name, value string) { return "Authorization", "Bearer " + token }

// TestSignInsOverREST: a device stays signed in, is listed and signed out, and a token that
// is in two hands ends all.
func TestSignInsOverREST(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	phone, tablet := d.signIn("Redmi 9A"), d.signIn("Планшет")
	if phone.ExpiresIn < 898 || phone.ExpiresIn > 900 || *phone.RefreshExpiresIn < 30*24*3600-2 {
		t.Errorf("good for %d and %d s", phone.ExpiresIn, *phone.RefreshExpiresIn)
	}
	d.call(http.StatusBadRequest, http.MethodPost, "/v1/tokens/refresh", `{"refresh_token": "`+*phone.RefreshToken+`"}`) // no key
	next := d.tokens(d.refresh(http.StatusOK, *phone.RefreshToken, "exchange 1"))
	again := d.tokens(d.refresh(http.StatusOK, *phone.RefreshToken, "exchange 1"))
	if *next.RefreshToken != *again.RefreshToken || *next.RefreshToken == *phone.RefreshToken {
		t.Error("the same request brings another token")
	}
	if got := d.refresh(http.StatusUnprocessableEntity, *next.RefreshToken, "exchange 1"); !strings.Contains(string(got), "problem.identity_refresh_key") {
		t.Errorf("%s", got)
	}

	var list []SignIn
	header, value := bearer(next.AccessToken)
	testworld.OK(t, json.Unmarshal(d.call(http.StatusOK, http.MethodGet, "/v1/sign-ins", "", header, value), &list))
	if len(list) != 2 || *list[0].Device != "Redmi 9A" || !list[0].Current || *list[1].Device != "Планшет" || list[1].Current {
		t.Fatalf("%+v", list)
	}
	d.call(http.StatusNoContent, http.MethodDelete, "/v1/sign-ins/"+list[1].Id, "", header, value)
	if got := d.call(http.StatusNotFound, http.MethodDelete, "/v1/sign-ins/"+list[1].Id, "", header, value); !strings.Contains(string(got), "problem.identity_sign_in_absent") {
		t.Errorf("%s", got)
	}
	other, otherValue := bearer(tablet.AccessToken)
	d.call(http.StatusUnauthorized, http.MethodGet, "/v1/profile", "", other, otherValue)
	d.refresh(http.StatusUnauthorized, *tablet.RefreshToken, "exchange 2")

	d.call(http.StatusOK, http.MethodGet, "/v1/profile", "", header, value)
	if got := d.refresh(http.StatusUnauthorized, *phone.RefreshToken, "exchange 3"); !strings.Contains(string(got), "problem.identity_refresh_reused") {
		t.Errorf("%s", got)
	}
	d.call(http.StatusUnauthorized, http.MethodGet, "/v1/profile", "", header, value)
}

// TestSignOutOverREST: by the device itself, and for the very next request.
func TestSignOutOverREST(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	tokens := d.signIn("")
	header, value := bearer(tokens.AccessToken)
	d.call(http.StatusUnauthorized, http.MethodDelete, "/v1/tokens", "")
	d.call(http.StatusNoContent, http.MethodDelete, "/v1/tokens", "", header, value)
	d.call(http.StatusUnauthorized, http.MethodDelete, "/v1/tokens", "", header, value)
	d.refresh(http.StatusUnauthorized, *tokens.RefreshToken, "exchange 1")
}
