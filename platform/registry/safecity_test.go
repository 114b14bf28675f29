package registry_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/sandbox"
)

const plate = "01KG123ABC"

func at() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func TestByPlateTellsUnknownFromClean(t *testing.T) {
	t.Parallel()
	city := newSafeCity(t, config(newBox(t).url))
	for plate, want := range map[string]struct {
		registered bool
		fines      int
	}{plate: {true, 3}, "01KG777AAA": {true, 0}, "B1234AB": {true, 1}, "09KG999ZZZ": {false, 0}} {
		got, err := city.ByPlate(t.Context(), call, plate)
		if err != nil || got.Registered != want.registered || len(got.Fines) != want.fines {
			t.Errorf("%s: %+v, %v; want %+v", plate, got, err, want)
		}
	}
}

func TestViolationsAreForTheOwner(t *testing.T) {
	t.Parallel()
	city := newSafeCity(t, config(newBox(t).url))
	list, err := city.Violations(t.Context(), call, pinAigul, plate)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d violations, %v; want 4", len(list), err)
	}
	if !list[3].Paid || list[0].Paid || !list[1].Delivered.IsZero() || list[0].Delivered.IsZero() {
		t.Errorf("paid or delivered wrong: %+v", list)
	}
	_, err = city.Violations(t.Context(), call, pinBakyt, plate)
	if !errors.Is(err, problem.New(problem.Forbidden, "problem.registry_not_owner")) {
		t.Errorf("a stranger got %v", err)
	}
	if list, err := city.Violations(t.Context(), call, pinBakyt, "01KG777AAA"); err != nil || len(list) != 0 {
		t.Errorf("a clean car: %v, %v", list, err)
	}
}

func TestPayingAFine(t *testing.T) {
	t.Parallel()
	city := newSafeCity(t, config(newBox(t).url))
	list, err := city.Violations(t.Context(), call, pinAigul, plate)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []money.Amount{1500_00, 7500_00, 1000_00} {
		got, err := city.Check(t.Context(), call, list[i].PaymentNumber, 0, at())
		if err != nil || got.Code != registry.CodeOK || got.Cost != want {
			t.Errorf("check %d: %+v, %v; want %v", i, got, err, want)
		}
	}
	first := list[0]
	steps := []struct {
		name   string
		number string
		sum    money.Amount
		code   int
	}{
		{"too small", first.PaymentNumber, 1499_99, registry.CodeSumTooSmall},
		{"too large", first.PaymentNumber, 1500_01, registry.CodeSumTooLarge},
		{"exact", first.PaymentNumber, 1500_00, registry.CodeOK},
		{"again", first.PaymentNumber, 1500_00, registry.CodeAlreadyPaid},
		{"unknown", "1", 1500_00, registry.CodeNotFound},
	}
	for _, s := range steps {
		if got, err := city.Pay(t.Context(), call, s.number, s.sum, at()); err != nil || got.Code != s.code {
			t.Errorf("%s: %+v, %v; want code %d", s.name, got, err, s.code)
		}
	}
	info, found, err := city.Info(t.Context(), call, first.ProtocolNumber)
	if err != nil || !found || !info.Paid || info.Sum != 1500_00 || !info.At.Equal(at()) {
		t.Errorf("info %+v, %v, %v", info, found, err)
	}
	if got, err := city.ByPlate(t.Context(), call, plate); err != nil || len(got.Fines) != 2 {
		t.Errorf("after paying: %+v, %v", got, err)
	}
	for _, code := range []int{registry.CodeOK, registry.CodeAlreadyCancelled} {
		if got, err := city.Cancel(t.Context(), call, first.PaymentNumber, 1500_00, at()); err != nil || got.Code != code {
			t.Errorf("cancel: %+v, %v; want %d", got, err, code)
		}
	}
	if _, found, err := city.Info(t.Context(), call, "404"); err != nil || found {
		t.Errorf("an unknown protocol: %v, %v", found, err)
	}
}

func TestALostAnswerIsAskedFor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	city := newSafeCity(t, config(b.url))
	got, err := city.ByPlate(t.Context(), call, plate)
	if err != nil {
		t.Fatal(err)
	}
	number := got.Fines[0].PaymentNumber
	set(t, b, sandbox.SystemSafeCity, sandbox.Fault{LoseAnswers: 1})
	_, err = city.Pay(t.Context(), call, number, 1500_00, at())
	mustFail(t, err, "problem.registry_down", registry.SideNetwork)
	if !registry.MayHaveActed(err) {
		t.Fatal("a lost answer may have had its effect")
	}
	if got, err := city.Check(t.Context(), call, number, 0, at()); err != nil || got.Code != registry.CodeAlreadyPaid {
		t.Fatalf("the outcome: %+v, %v; want already paid", got, err)
	}
}

func TestSafeCityFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, key string
		side      registry.Side
		kind      string
		fault     sandbox.Fault
	}{
		{"slow", "problem.registry_down", registry.SideNetwork, registry.TypeTimeout, sandbox.Fault{DelayMS: 60_000}},
		{"failing", "problem.registry_down", registry.SideTheirs, "Server.ServerProxy.ServiceFailed.NetworkError", sandbox.Fault{ErrorRate: 1}},
		{"outage", "problem.registry_down", registry.SideTheirs, "Server.ServerProxy.ServiceFailed.NetworkError", sandbox.Fault{Outage: true}},
		{"wrong schema", "problem.registry_answer", registry.SideRegistry, registry.TypeSchema, sandbox.Fault{WrongSchema: true}},
		{"cut body", "problem.registry_down", registry.SideNetwork, registry.TypeCut, sandbox.Fault{CutBody: true}},
		{"lost answers", "problem.registry_down", registry.SideNetwork, registry.TypeNetwork, sandbox.Fault{LoseAnswers: -1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			cfg := config(b.url)
			if c.fault.DelayMS > 0 {
				cfg.Timeout = 50 * time.Millisecond
			}
			set(t, b, sandbox.SystemSafeCity, c.fault)
			_, err := newSafeCity(t, cfg).Violations(t.Context(), call, pinAigul, plate)
			if e := mustFail(t, err, c.key, c.side); !strings.HasPrefix(e.Type, c.kind) || !e.MayHaveActed {
				t.Errorf("error %+v; want type %s that may have acted", e, c.kind)
			}
		})
	}
}

func TestPayingAtOnceSettlesOnce(t *testing.T) {
	t.Parallel()
	city := newSafeCity(t, config(newBox(t).url))
	got, err := city.ByPlate(t.Context(), call, plate)
	if err != nil {
		t.Fatal(err)
	}
	codes := make(chan int, 64)
	for range cap(codes) {
		go func() {
			result, err := city.Pay(t.Context(), call, got.Fines[0].PaymentNumber, 1500_00, at())
			if err != nil {
				t.Error(err)
			}
			codes <- result.Code
		}()
	}
	count := map[int]int{}
	for range cap(codes) {
		count[<-codes]++
	}
	if count[registry.CodeOK] != 1 || count[registry.CodeAlreadyPaid] != 63 {
		t.Errorf("codes %v; want one 200 and 63 × 406", count)
	}
}

// TestTheRestOfSafeCity: what is not needed to pay, over the real envelope.
func TestTheRestOfSafeCity(t *testing.T) {
	t.Parallel()
	city := newSafeCity(t, config(newBox(t).url))
	list, err := city.Violations(t.Context(), call, pinAigul, plate)
	if err != nil {
		t.Fatal(err)
	}
	photo, err := city.Photo(t.Context(), call, pinAigul, plate, list[0].PaymentNumber)
	if err != nil || http.DetectContentType(photo) != "image/jpeg" {
		t.Errorf("the photo of a red light: %d bytes, %v", len(photo), err)
	}
	if photo, err := city.Photo(t.Context(), call, pinAigul, plate, list[2].PaymentNumber); err != nil || photo != nil {
		t.Errorf("a fine without a photo: %d bytes, %v", len(photo), err)
	}
	if _, err = city.Photo(t.Context(), call, pinBakyt, plate, list[0].PaymentNumber); !errors.Is(err, problem.New(problem.Forbidden, "problem.registry_not_owner")) {
		t.Errorf("a stranger's photo: %v", err)
	}
	if _, err = city.Violations(t.Context(), call, pinAigul, "09KG999ZZZ"); !errors.Is(err, problem.New(problem.NotFound, "problem.registry_plate_unknown")) {
		t.Errorf("an unknown plate: %v", err)
	}
	one, found, err := city.Protocol(t.Context(), call, list[1].ProtocolNumber)
	if err != nil || !found || one != list[1] {
		t.Errorf("a resolution: %+v, %v, %v", one, found, err)
	}
	if _, found, err := city.Protocol(t.Context(), call, "404"); err != nil || found {
		t.Errorf("an unknown resolution: %v, %v", found, err)
	}
	for range 2 { // twice is once
		if err := city.Subscribe(t.Context(), call, pinAigul, plate, "u-1"); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := city.Unsubscribe(t.Context(), call, pinAigul, plate, "u-1"); err != nil {
			t.Error(err)
		}
	}
	if err := city.Subscribe(t.Context(), call, pinBakyt, plate, "u-2"); !errors.Is(err, problem.New(problem.Forbidden, "problem.registry_ours")) {
		t.Errorf("a stranger follows: %v", err)
	}
	d := registry.Delivery{Protocol: list[1].ProtocolNumber, Status: "1", At: at(), Note: "SMS"}
	for i, want := range []bool{true, false} {
		if set, found, err := city.Delivered(t.Context(), call, d); err != nil || !found || set != want {
			t.Errorf("delivery %d: %v, %v, %v", i, set, found, err)
		}
	}
	if one, _, err := city.Protocol(t.Context(), call, d.Protocol); err != nil || !one.Delivered.Equal(at()) {
		t.Errorf("delivered at %v, %v", one.Delivered, err)
	}
	d.Protocol = "404"
	if _, found, err := city.Delivered(t.Context(), call, d); err != nil || found {
		t.Errorf("delivery of an unknown one: %v, %v", found, err)
	}
}
