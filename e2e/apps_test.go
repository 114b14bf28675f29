package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// appPayment is a payment as an app reads it.
type appPayment struct {
	ID, Code, State, Service string
	Lines                    []struct{ Ref, State, Reason string }
	PaidAt                   time.Time `json:"paid_at"`
}

// fault is a problem as an app reads it.
type fault struct {
	Code, Level, Detail string
	Errors              []struct{ In, Pointer, Name, Code string }
}

// TestAppsLists walks what an app lists of its own (api-and-pages.md, "Missing for
// apps"): every answer is held to the contract by d.json.
func TestAppsLists(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		get := func(path, token string, out any) int { return d.json(http.MethodGet, path, token, nil, out) }
		codeSays(t, d)
		token := d.signIn(aigul)

		var profile struct {
			Phone, Language string
			Proven          bool
			ProvenUntil     time.Time `json:"proven_until"`
		}
		if get("/v1/profile", token, &profile); profile.Phone != aigul || profile.Proven || profile.Language != "" {
			t.Errorf("a new phone's profile: %+v", profile)
		}
		var p fault
		if status := get("/v1/devices", token, &p); status != http.StatusForbidden || p.Code != "problem.level_proven" || p.Level != "proven" {
			t.Errorf("A2: devices without a proof: %d %+v", status, p)
		}
		prove(t, d, token)
		d.json(http.MethodPut, "/v1/language", token, map[string]string{"language": "ru"}, nil)
		if get("/v1/profile", token, &profile); !profile.Proven || profile.Language != "ru" || time.Until(profile.ProvenUntil) < time.Hour {
			t.Errorf("the profile after the proof: %+v", profile)
		}
		var devices []struct {
			Phone       string
			Current     bool
			ProvenUntil time.Time `json:"proven_until"`
		}
		if get("/v1/devices", token, &devices); len(devices) != 1 || devices[0].Phone != "+996*****0001" || !devices[0].Current ||
			!devices[0].ProvenUntil.Equal(profile.ProvenUntil) {
			t.Errorf("devices: %+v", devices)
		}
		payAndList(t, d, token)
		carsAndPhoto(t, d, token)
		registerAndList(t, d, token)
	})
}

// codeSays: the answer tells until when a code can be used, and when another message
// can be had: at once after the first two, in ten minutes after the long code, which
// is told again to whoever asks.
func codeSays(t *testing.T, d *door) {
	t.Helper()
	challenges := map[string]bool{}
	for n, late := range []bool{false, false, true, true} {
		var sent struct {
			Challenge string
			ExpiresAt time.Time `json:"expires_at"`
			AgainAt   time.Time `json:"again_at"`
		}
		d.json(http.MethodPost, "/v1/codes", "", map[string]string{"phone": bakyt}, &sent)
		if wait := time.Until(sent.AgainAt) > time.Minute; wait != late || time.Until(sent.ExpiresAt) < 5*time.Minute {
			t.Errorf("code %d: it lasts until %s, and another can be had from %s", n+1, sent.ExpiresAt, sent.AgainAt)
		}
		challenges[sent.Challenge] = true
	}
	if len(challenges) != 3 {
		t.Errorf("four requests have %d challenges", len(challenges))
	}
}

// TestFieldsOfOurProblems (A3): what only the services can see is wrong is told with
// its place too.
func TestFieldsOfOurProblems(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	token := d.signIn(bakyt)
	for name, c := range map[string]struct {
		method, path string
		in           any
		code, at     string
	}{
		"phone":     {"POST", "/v1/codes", map[string]string{"phone": "abc"}, "problem.phone", "body /phone format"},
		"phone F14": {"POST", "/v1/codes", map[string]string{"phone": "+996500000009x"}, "problem.phone", "body /phone format"},
		"code":      {"POST", "/v1/tokens", map[string]string{"phone": bakyt, "code": "12"}, "problem.identity_code_format", "body /code format"},
		"document":  {"POST", "/v1/proofs", map[string]string{"personal_number": "1", "document_number": "?"}, "problem.identity_document_format", "body /document_number format"},
		"pin":       {"POST", "/v1/proofs", map[string]string{"personal_number": "1", "document_number": "ID1000001"}, "problem.identity_pin_format", "body /personal_number format"},
		"language":  {"PUT", "/v1/language", map[string]string{"language": "de"}, "problem.language", "body /language choice"},
		"plate":     {"GET", "/v1/fines?plate=x", nil, "problem.fine_plate", "query plate format"},
		"number":    {"GET", "/v1/verifications/x", nil, "problem.certificate_number", "path number format"},
		"foreign":   {"POST", "/v1/verifications", map[string]string{"qr": "x"}, "problem.certificate_foreign", "body /qr format"},
		"no code":   {"POST", "/v1/verifications", map[string]string{"qr": ""}, "problem.certificate_foreign", "body /qr format"},
		"forged":    {"POST", "/v1/verifications", map[string]string{"qr": "ESHIK1:X"}, "problem.certificate_forged", "body /qr other"},
		"backwards": {"GET", "/v1/statistics/usage?from=2026-11-03&to=2026-11-02", nil, "problem.usage_order", "query from range"},
		"too long":  {"GET", "/v1/statistics/usage.csv?from=1900-01-01&to=2999-12-31", nil, "problem.usage_span", "query from range"},
	} {
		var p fault
		status := d.json(c.method, c.path, token, c.in, &p)
		if status != http.StatusBadRequest || p.Code != c.code || len(p.Errors) != 1 {
			t.Errorf("%s: %d %+v", name, status, p)
			continue
		}
		if at := p.Errors[0].In + " " + p.Errors[0].Pointer + p.Errors[0].Name + " " + p.Errors[0].Code; at != c.at {
			t.Errorf("%s: at %q, not %q", name, at, c.at)
		}
	}
}

func prove(t *testing.T, d *door, token string) {
	t.Helper()
	in := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
	if status := d.json(http.MethodPost, "/v1/proofs", token, in, nil); status != http.StatusNoContent {
		t.Fatalf("proofs: %d", status)
	}
}

// payAndList pays the fine whose discount is open.
func payAndList(t *testing.T, d *door, token string) {
	t.Helper()
	var car struct {
		Fines []struct {
			Ref                   string
			Amount, Due, Discount int64
			Percent               int `json:"discount_percent"`
		}
	}
	d.json(http.MethodGet, "/v1/fines?plate=01KG123ABC", token, nil, &car)
	ref := ""
	for _, f := range car.Fines {
		if f.Due == 150000 {
			ref = f.Ref
			if f.Amount != 500000 || f.Discount != 350000 || f.Percent != 70 {
				t.Errorf("the discount: %+v", f)
			}
		} else if f.Discount != 0 || f.Amount != f.Due {
			t.Errorf("a fine without a discount: %+v", f)
		}
	}
	var violations []struct {
		Ref         string
		At          time.Time
		DeliveredAt time.Time `json:"delivered_at"`
		Resolution  string
		Due         int64
		Until       time.Time `json:"discount_until"`
	}
	d.json(http.MethodGet, "/v1/fines/details?plate=01KG123ABC", token, nil, &violations)
	for i, v := range violations {
		if i > 0 && v.At.After(violations[i-1].At) {
			t.Errorf("A4: %s comes after an older one", v.Ref)
		}
		if v.Ref == ref && (v.DeliveredAt.IsZero() || v.Resolution == "" || v.Due != 150000 || !v.Until.Equal(v.DeliveredAt.AddDate(0, 1, 0))) {
			t.Errorf("the record of a fine with a discount: %+v", v)
		}
	}

	in := map[string]any{"service": "fine", "refs": []string{ref}}
	var p appPayment
	if status := d.json(http.MethodPost, "/v1/payments", token, in, &p); status != http.StatusCreated || p.Lines[0].State != "quoted" {
		t.Fatalf("payments: %d %+v", status, p)
	}
	path := "/v1/payments/" + p.ID
	if d.json(http.MethodPut, path+"/confirmation", token, nil, &p); p.State != "awaiting" || p.Lines[0].State != "awaiting" {
		t.Errorf("A6: a confirmed payment: %+v", p)
	}
	var early fault
	if status := d.json(http.MethodGet, path+"/receipt", token, nil, &early); status != http.StatusConflict || early.Code != "problem.payment_unfinished" {
		t.Errorf("a receipt before the money: %d %+v", status, early)
	}
	d.wallet(p.Code)
	for deadline := time.Now().Add(patience); p.State != "settled" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		d.json(http.MethodGet, path, token, nil, &p)
	}
	if p.State != "settled" || p.Lines[0].State != "settled" || p.PaidAt.IsZero() || p.Service != "fine" {
		t.Fatalf("A6: a settled payment: %+v", p)
	}
	var receipt struct {
		Settled, Back int64
		Text          string
	}
	d.json(http.MethodGet, path+"/receipt", token, nil, &receipt)
	if receipt.Settled != 150000 || receipt.Back != 0 || !strings.Contains(receipt.Text, p.Code) || !strings.Contains(receipt.Text, "1 500") {
		t.Errorf("the receipt: %+v", receipt)
	}
	if status := d.json(http.MethodPost, "/v1/payments", token, in, &early); status != http.StatusConflict || early.Code != "problem.payment_paid" {
		t.Errorf("A5: paying a settled fine: %d %+v", status, early)
	}
	var list []appPayment
	if d.json(http.MethodGet, "/v1/payments", token, nil, &list); len(list) != 1 || list[0].ID != p.ID {
		t.Errorf("the payments: %+v", list)
	}
	if d.json(http.MethodGet, "/v1/payments?before="+p.ID, token, nil, &list); len(list) != 0 {
		t.Errorf("before the first payment: %+v", list)
	}
	var stranger []appPayment
	if d.json(http.MethodGet, "/v1/payments", d.signIn(elena), nil, &stranger); len(stranger) != 0 {
		t.Errorf("a stranger's payments: %+v", stranger)
	}
}

func registerAndList(t *testing.T, d *door, token string) {
	t.Helper()
	var children []struct{ Ref string }
	d.json(http.MethodGet, "/v1/preschool/children", token, nil, &children)
	var districts []struct{ Code string }
	d.json(http.MethodGet, "/v1/preschool/districts", "", nil, &districts)
	var gardens []struct{ ID string }
	d.json(http.MethodGet, "/v1/preschool/kindergartens?district="+districts[0].Code, "", nil, &gardens)
	in := map[string]any{"child": children[0].Ref, "kindergartens": []string{"no such"}}
	var p fault
	status := d.json(http.MethodPost, "/v1/preschool/registrations", token, in, &p, "Idempotency-Key", "apps-1234-0")
	if status != http.StatusBadRequest || p.Code != "problem.preschool_kindergarten" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/kindergartens/0" {
		t.Errorf("A12: an unknown kindergarten: %d %+v", status, p)
	}
	if status := d.json(http.MethodGet, "/v1/preschool/kindergartens?district=nowhere", "", nil, &p); status != http.StatusNotFound || p.Code != "problem.preschool_district" {
		t.Errorf("A12: an unknown district: %d %+v", status, p)
	}
	in["kindergartens"] = []string{gardens[0].ID}
	var made struct{ Number string }
	d.json(http.MethodPost, "/v1/preschool/registrations", token, in, &made, "Idempotency-Key", "apps-1234-1")
	var list []struct{ Number, State string }
	if d.json(http.MethodGet, "/v1/preschool/registrations", token, nil, &list); len(list) != 1 || list[0].Number != made.Number || list[0].State != "waiting" {
		t.Errorf("the registrations: %+v, made %+v", list, made)
	}
}
