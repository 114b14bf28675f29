package citizen

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// parking is another service that has its bills paid: this is all that it says of it.
type parking struct{ paid map[string]money.Amount }

func (parking) Service() string { return "parking" }

func (parking) Admit(context.Context, caller.Caller, []string) error { return nil }

func (p parking) Quote(_ context.Context, b payment.Bill) (payment.Quote, error) {
	if _, paid := p.paid[b.Ref]; paid || !strings.HasPrefix(b.Ref, "place-") {
		return payment.Quote{}, problem.New(problem.NotFound, "problem.payment_absent")
	}
	return payment.Quote{Amount: 40 * money.Som}, nil
}

func (p parking) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	if err := s.Sending(ctx); err != nil {
		return "", err
	}
	p.paid[s.Ref] = s.Amount
	return payment.OutcomeSettled, nil
}

// conversation has one screen of the service's own; where it leads is the payments'.
func (parking) conversation(payments *payment.Service, place string) dialog.Flow {
	return dialog.Flow{
		Name: "parking", Entry: dialog.Option{Label: dialog.Say("parking.entry"), Next: dialog.Go("parking.place")},
		Nodes: append([]dialog.Node{{ID: "parking.place", Plain: func(*dialog.Turn) dialog.Screen {
			return dialog.Screen{
				Body:    []dialog.Message{dialog.Say("parking.which")},
				Options: []dialog.Option{{Label: dialog.Say("parking.tonight"), Next: payment.Pay("parking", place)}},
			}
		}}}, payments.Checkout("parking", "parking.place", func(_ *dialog.Turn, p payment.Payment) dialog.Message {
			return dialog.Say("parking.about", "n", len(p.Lines))
		})...),
		Commands: []dialog.Command{{Words: []string{"паркинг"}, Node: "parking.place"}},
	}
}

const parkingTexts = `
["parking.entry"]
text = "Паркинг"
["parking.which"]
text = "Паркинг?"
["parking.tonight"]
text = "23:00"
["parking.about"]
text = "Паркинг: {n}"
`

// lot is the second service with real payments, beside what the interfaces need.
type lot struct {
	parking
	payments *payment.Service
	texts    *locales.Catalogue
	db       *store.DB
	rest     *analytics.Recorder // of the REST interface
}

// counted are the steps that the REST interface counted. Nothing is counted later.
func (l *lot) counted(t *testing.T) (steps []string) {
	t.Helper()
	l.rest.Close()
	rows, err := l.db.Reader().QueryContext(t.Context(), "SELECT service || ' ' || step || ' ' || outcome FROM analytics_events WHERE step LIKE 'rest.%' ORDER BY step")
	testworld.OK(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var step string
		testworld.OK(t, rows.Scan(&step))
		steps = append(steps, step)
	}
	testworld.OK(t, rows.Err())
	return steps
}

// Locale implements api.Languages.
func (*lot) Locale(context.Context, string) (locales.Locale, error) { return "", nil }

func newLot(t *testing.T) *lot {
	t.Helper()
	file := &fstest.MapFile{Data: []byte(parkingTexts)}
	texts, err := locales.Load(fstest.MapFS{"ky/parking.toml": file, "ru/parking.toml": file, "en/parking.toml": file})
	testworld.OK(t, err)
	w := testworld.New(t, storetest.Open(t, storetest.NewSQLite(t)), testworld.Setup{Start: time.Now(), Texts: texts})
	l := &lot{parking: parking{paid: map[string]money.Amount{}}, texts: texts, db: w.DB, rest: analytics.NewRecorder(w.DB, w.Log)}
	l.payments, err = payment.New(payment.Deps{
		DB: w.DB, Phones: unasked{}, Queue: w.Queue, Sealer: w.Sealer, Trail: w.Trail, Events: &webhook.Events{DB: w.DB, Now: time.Now}, Texts: texts, Now: time.Now, Clock: w.DB.Clock, Random: rand.Reader, Log: w.Log,
	}, l.parking)
	testworld.OK(t, err)
	return l
}

const parker = testworld.Aigul

// talked pays by the conversation over a channel, and gives the payment's code.
func (l *lot) talked(t *testing.T, channel caller.Channel, place string) string {
	t.Helper()
	engine, err := dialog.New(l.texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, l.conversation(l.payments, place))
	testworld.OK(t, err)
	state, budget := dialog.NewState(locales.KY), dialog.Budget{Septets: 182, Units: 80}
	inputs := []dialog.Input{{Start: true}, {Text: "1"}, {Text: "1"}, {Text: "1"}}
	if channel == caller.SMS {
		budget = dialog.Budget{Septets: 459, Units: 201}
		inputs = []dialog.Input{{Start: true, Text: "паркинг"}, {Text: "1"}, {Text: "1"}}
	}
	var screens []string
	for turn, in := range inputs {
		in.Budget = budget
		c := caller.Caller{Phone: parker, Channel: channel, Locale: locales.KY, Now: time.Now(), Key: fmt.Sprint(channel, turn)}
		if state, err = dialog.Decode(state.Encode()); err != nil {
			t.Fatal(err)
		}
		reply, err := engine.Next(t.Context(), c, state, in)
		testworld.OK(t, err)
		screens = append(screens, reply.Text)
	}
	if sum := screens[len(screens)-2]; !strings.HasPrefix(sum, "Паркинг: 1\nТөлөнөт: 40 сом\n1 Төлөө") {
		t.Errorf("%s: the sum is shown as %q", channel, sum)
	}
	return regexp.MustCompile(`\b\d{10}\b`).FindString(screens[len(screens)-1])
}

// request makes one request of a phone that is signed in.
func (l *lot) request(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	audience := Audience(func(context.Context, string) (api.Principal, error) {
		return api.Principal{Phone: parker}, nil
	}, nil, l, func(turn string) string { return turn }, time.Now)
	contract, err := api.NewContract(Document, audience)
	testworld.OK(t, err)
	app := fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(l.texts, slog.New(slog.DiscardHandler)), Immutable: true})
	testworld.OK(t, whole(Server{Payments: l.payments, Recorder: l.rest, Texts: l.texts}).Mount(app, contract))
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/json")
	response, err := app.Test(r, -1)
	testworld.OK(t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	testworld.OK(t, err)
	var out map[string]any
	testworld.OK(t, json.Unmarshal(data, &out))
	return response.StatusCode, out
}

// rested pays over REST, and gives the payment's code.
func (l *lot) rested(t *testing.T, place string) string {
	t.Helper()
	status, quoted := l.request(t, http.MethodPost, "/v1/payments", `{"service": "parking", "refs": ["`+place+`"]}`)
	if status != http.StatusCreated || quoted["service"] != "parking" || quoted["amount"] != 4000.0 {
		t.Fatalf("%d %v", status, quoted)
	}
	status, confirmed := l.request(t, http.MethodPut, fmt.Sprintf("/v1/payments/%s/confirmation", quoted["id"]), "")
	if status != http.StatusOK || confirmed["state"] != "awaiting" {
		t.Fatalf("%d %v", status, confirmed)
	}
	code, _ := confirmed["code"].(string)
	return code
}

// TestASecondServiceIsPaid: a service that is not the fines has its bills paid over every
// channel, through the same steps, and its register hears of each once.
func TestASecondServiceIsPaid(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	for place, code := range map[string]string{
		"place-1": l.talked(t, caller.USSD, "place-1"), "place-2": l.talked(t, caller.SMS, "place-2"), "place-3": l.rested(t, "place-3"),
	} {
		checked, err := l.payments.Check(t.Context(), payment.Partner{ID: "wallet", Every: true}, code, 40*money.Som)
		if err != nil || checked.Decision != payment.Approved || checked.Service != "parking" {
			t.Errorf("%s: %+v, %v", place, checked, err)
		}
		answer, err := l.payments.Accept(t.Context(), payment.Partner{ID: "wallet", Every: true}, place, code, 40*money.Som, time.Time{})
		if err != nil || answer.Decision != payment.Approved {
			t.Fatalf("%s: %+v, %v", place, answer, err)
		}
	}
	list, err := l.payments.List(t.Context(), caller.Caller{Phone: parker, Now: time.Now()}, "", 10)
	testworld.OK(t, err)
	for _, p := range list {
		testworld.OK(t, l.payments.Settle(t.Context(), p.ID))
	}
	if len(list) != 3 || len(l.paid) != 3 || l.paid["place-1"] != 40*money.Som {
		t.Errorf("%d payments, the register heard of %v", len(list), l.paid)
	}
	testworld.OK(t, l.payments.VerifyLedger(t.Context()))
	if got := strings.Join(l.counted(t), ", "); got != "parking rest.confirm done, parking rest.quote done" {
		t.Errorf("counted as %s", got)
	}
}

// TestBillsOfNoService: what a client makes up is named, and no service of the figures.
func TestBillsOfNoService(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	status, refused := l.request(t, http.MethodPost, "/v1/payments", `{"service": "made-up", "refs": ["place-1"]}`)
	if status != http.StatusBadRequest || refused["code"] != "problem.payment_service" || !strings.Contains(fmt.Sprint(refused["errors"]), "/service") {
		t.Errorf("%d %v", status, refused)
	}
	if got := strings.Join(l.counted(t), ", "); got != "payment rest.quote refused" {
		t.Errorf("counted as %s", got)
	}
}

// TestSomeBillsArePaidMeanwhile (F2): over REST "already paid" is said of a bill, never of
// all because of one, and the problem points at those that it is about.
func TestSomeBillsArePaidMeanwhile(t *testing.T) {
	t.Parallel()
	l := newLot(t)
	status, quoted := l.request(t, http.MethodPost, "/v1/payments", `{"service": "parking", "refs": ["place-2", "place-1", "place-3"]}`)
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, quoted)
	}
	answer, err := l.payments.Accept(t.Context(), payment.Partner{ID: "wallet", Every: true}, "1", l.rested(t, "place-3"), 40*money.Som, time.Time{})
	if err != nil || answer.Decision != payment.Approved {
		t.Fatalf("%+v, %v", answer, err)
	}
	confirmation := fmt.Sprintf("/v1/payments/%s/confirmation", quoted["id"])
	refused := func(method, path, body, code string, pointers ...string) {
		t.Helper()
		status, p := l.request(t, method, path, body)
		faults, _ := p["errors"].([]any)
		if status != http.StatusConflict || p["code"] != code || len(faults) != len(pointers) {
			t.Errorf("%s: %d %v", path, status, p)
			return
		}
		for i, f := range faults {
			fault, _ := f.(map[string]any)
			if fault["in"] != "body" || fault["pointer"] != pointers[i] || fault["code"] != "choice" || fault["detail"] != p["detail"] {
				t.Errorf("%s: %v", path, fault)
			}
		}
	}
	open := func(refs ...string) (string, string, string) {
		return http.MethodPost, "/v1/payments", fmt.Sprintf(`{"service": "parking", "refs": ["%s"]}`, strings.Join(refs, `", "`))
	}
	both := func(state string) {
		t.Helper()
		method, path, body := open("place-3", "place-1")
		refused(method, path, body, "problem.payment_part_"+state, "/refs/0")
		refused(http.MethodPut, confirmation, "", "problem.payment_part_"+state, "/lines/2")
	}
	both("taken")
	list, err := l.payments.List(t.Context(), caller.Caller{Phone: parker, Now: time.Now()}, "", 10)
	testworld.OK(t, err)
	for _, p := range list {
		testworld.OK(t, l.payments.Settle(t.Context(), p.ID))
	}
	both("paid")
	method, path, body := open("place-3")
	refused(method, path, body, "problem.payment_paid")
}
