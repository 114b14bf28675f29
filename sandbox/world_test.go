package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func morning() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, dir string, now func() time.Time) *World {
	t.Helper()
	w, err := NewWorld(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// pay pays a fine in the register and gives the code of the answer.
func pay(w *World, number, sum string) string {
	op := soapOperation{}
	op.Request.Status, op.Request.Payment, op.Request.Sum = "1", number, sum
	return w.setPaymentLegal(op)[0].text
}

func TestPaidFinesStayPaidOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newWorld(t, dir, morning)
	if code := pay(first, "7900000000001", "1500.00"); code != "200" {
		t.Fatalf("code %s", code)
	}
	// A kill -9 in the middle of the next line: it was never answered.
	file := filepath.Join(dir, "safecity.jsonl")
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(written, `{"payment":79000000`...), 0o600); err != nil {
		t.Fatal(err)
	}
	second := newWorld(t, dir, morning)
	if code := pay(second, "7900000000001", "1500.00"); code != "406" {
		t.Errorf("code %s after a restart, want 406", code)
	}
	if code := pay(second, "7900000000002", "7500.00"); code != "200" {
		t.Errorf("code %s for the next fine", code)
	}
	third := newWorld(t, dir, morning)
	if code := pay(third, "7900000000002", "7500.00"); code != "406" {
		t.Errorf("code %s after the second restart, want 406", code)
	}
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWorld(dir, morning); err == nil {
		t.Error("a broken payment book was opened")
	}
}

func TestTheVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", morning)
	fines, seen := 0, map[string]bool{}
	for n := range cars {
		plate := plateOf(n)
		if back, ok := carNumber(plate); !ok || back != n || seen[plate] {
			t.Fatalf("car %d has plate %s, which is car %d", n, plate, back)
		}
		seen[plate] = true
		if n%1000 != 0 {
			continue
		}
		owner := generatedCitizen(n)
		if found, ok := w.citizen(owner.pin); !ok || found.document != owner.document {
			t.Fatalf("owner %d is not found by PIN", n)
		}
	}
	for index := range cars / block * finesPerBlock {
		f := w.generatedFine(index)
		fines++
		if index%1000 == 0 {
			c, _ := w.car(f.plate)
			if found, ok := w.fine(f.payment, 0); !ok || found != f || len(c.fines) == 0 {
				t.Fatalf("fine %d is not found by its number or on its car", index)
			}
		}
	}
	if fines != 60_000 || len(seen) != 200_000 {
		t.Errorf("%d fines on %d cars", fines, len(seen))
	}
	for _, plate := range []string{"09KG999ZZZ", "02KG000ZZZ", "02KG000aaa", "02KG-00AAA", ""} {
		if _, ok := w.car(plate); ok {
			t.Errorf("%q is known", plate)
		}
	}
	if _, ok := w.citizen("12912199900099"); ok {
		t.Error("the unknown PIN is known")
	}
}

// ask sends a request to the security server and gives the status and the body.
func ask(t *testing.T, server *httptest.Server, method, path, client, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Road-Id", "id-1")
	if client != "" {
		req.Header.Set("X-Road-Client", client)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got)
}

func TestSecurityServerREST(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newWorld(t, "", morning).SecurityServer())
	defer server.Close()
	const client = "central-server/GOV/70000099/eshik"
	aimak := "/r1/central-server/GOV/70000050/sanaripaymak-service/address-fact/"
	cases := []struct {
		name, method, path, client string
		status                     int
		xroadError                 string
	}{
		{"known", "GET", aimak + pinAigul, client, 200, ""},
		{"percent-encoded", "GET", strings.Replace(aimak, "GOV", "G%4FV", 1) + pinAigul, client, 200, ""},
		{"unknown PIN", "GET", aimak + "12912199900099", client, 204, ""},
		{"the registry's own error", "POST", aimak + pinAigul, client, 400, ""},
		{"no client", "GET", aimak + pinAigul, "", 400, "Client.MissingHeader"},
		{"no service", "GET", "/r1/central-server/GOV", client, 400, "Client.InvalidPath"},
		{"unknown service", "GET", "/r1/central-server/GOV/1/x/y", client, 500, "Server.ServerProxy.UnknownService"},
		{"marriage", "POST", "/r1/central-server/GOV/70000005/zags-service/marriage-certificate-again", client, 409, ""},
	}
	for _, c := range cases {
		resp, _ := ask(t, server, c.method, c.path, c.client, "")
		if resp.StatusCode != c.status || resp.Header.Get("X-Road-Error") != c.xroadError {
			t.Errorf("%s: %d %q", c.name, resp.StatusCode, resp.Header.Get("X-Road-Error"))
		}
		if c.xroadError == "" && (resp.Header.Get("X-Road-Id") != "id-1" || resp.Header.Get("X-Road-Request-Hash") == "") {
			t.Errorf("%s: headers %v", c.name, resp.Header)
		}
	}
}

func TestCriminalRecordComesLater(t *testing.T) {
	t.Parallel()
	now := morning()
	w := newWorld(t, "", func() time.Time { return now })
	status, body := w.criminalRecord(restCall{method: "POST", body: []byte(`{"pin":"` + pinAigul + `"}`)})
	if status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	id, _ := body.(map[string]any)["requestId"].(string)
	get := restCall{method: "GET", path: []string{id}}
	if status, _ := w.criminalRecord(get); status != http.StatusAccepted {
		t.Errorf("status %d at once", status)
	}
	now = now.Add(recordTakes)
	if status, _ := w.criminalRecord(get); status != http.StatusOK {
		t.Errorf("status %d after the delay", status)
	}
	if status, _ := w.criminalRecord(restCall{method: "GET", path: []string{"x"}}); status != http.StatusNotFound {
		t.Errorf("status %d for another request", status)
	}
}

func TestFaultsHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", morning)
	server := httptest.NewServer(w.FaultsHandler())
	defer server.Close()
	cases := []struct {
		name, body string
		status     int
		delay      int
	}{
		{"set", `{"safecity":{"delay_ms":20}}`, 200, 20},
		{"misspelt knob", `{"safecity":{"delay":1}}`, 400, 20},
		{"unknown system", `{"safecity":{"delay_ms":1},"moon":{}}`, 400, 20},
		{"share over 1", `{"safecity":{"error_rate":1.5}}`, 400, 20},
		{"off", `{"safecity":{}}`, 200, 0},
	}
	for _, c := range cases {
		resp, body := ask(t, server, http.MethodPut, "/sandbox/faults", "", c.body)
		if resp.StatusCode != c.status || w.Faults()[SystemSafeCity].DelayMS != c.delay {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
	if resp, body := ask(t, server, http.MethodGet, "/sandbox/faults", "", ""); resp.StatusCode != 200 || !strings.Contains(body, `"aimak"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
