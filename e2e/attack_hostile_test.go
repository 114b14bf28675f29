package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAttackBytesNoDatabaseTakes sends NUL and bytes that are no UTF-8 wherever
// text reaches a query: none of it may be the server's fault.
func TestAttackBytesNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		token := d.signIn(aigul)
		get := func(path string) int { return d.json(http.MethodGet, path, token, nil, nil) }
		basic := func(raw string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(raw)) }
		for name, status := range map[string]int{
			"payment NUL":          get("/v1/payments/a%00b"),
			"payment no UTF-8":     get("/v1/payments/%ff"),
			"confirmation":         d.json(http.MethodPut, "/v1/payments/%ff/confirmation", token, nil, nil),
			"registration":         get("/v1/preschool/registrations/%ff%00"),
			"verification":         get("/v1/verifications/%ff%00"),
			"certificate":          get("/v1/certificates/%ff%00/document"),
			"district":             get("/v1/preschool/kindergartens?district=%ff%00"),
			"bill":                 d.json(http.MethodPost, "/v1/payments", token, map[string]any{"service": "fine", "refs": []string{"\x00"}}, nil),
			"bill that is none":    d.json(http.MethodPost, "/v1/payments", token, map[string]any{"service": "fine", "refs": []string{"' OR 1=1"}}, nil),
			"partner without name": d.json(http.MethodGet, "/partner/osmp", "", nil, nil, "Authorization", basic("a\x00b:c")),
			"partner no UTF-8":     d.json(http.MethodGet, "/partner/osmp", "", nil, nil, "Authorization", basic("\xff:c")),
			"repeat key":           d.json(http.MethodGet, "/v1/fines?plate=01KG123ABC", token, nil, nil, "Idempotency-Key", "ачкыч123"),
		} {
			if status >= http.StatusInternalServerError {
				t.Errorf("%s: %d", name, status)
			}
		}
		for path, form := range map[string]url.Values{
			"/sms/twilio":          {"MessageSid": {"SM\x00a"}, "From": {aigul}, "To": {"1414"}, "Body": {"1"}},
			"/sms/twilio/status":   {"MessageSid": {"SM\x00b"}, "MessageStatus": {"delivered"}},
			"/ussd/africastalking": {"sessionId": {"s\x00"}, "phoneNumber": {aigul}, "text": {"1\x00"}},
		} {
			response, err := d.client.PostForm(d.url+path, form)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%s: %d", path, response.StatusCode)
			}
		}
	})
}

// TestAttackUnreadable sends what no route gets to see: each is answered with
// HTTP's own word and a sentence, counted, and harms nobody who comes after.
func TestAttackUnreadable(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: eshik\r\nX-Twilio-Signature: " + strings.Repeat("4", 5000) + "\r\n\r\n": "431 problem.too_large",
		"POST /v1/codes HTTP/1.1\r\nHost: eshik\r\nContent-Length: 3000000\r\n\r\n":                      "413 problem.too_large",
		"POST /v1/codes HTTP/1.1\r\nHost: eshik\r\nContent-Length: -1\r\n\r\n":                           "400 problem.request",
		"POST /v1/fines/appeals/1/files HTTP/1.1\r\nHost: eshik\r\nContent-Length: 2000000\r\n\r\n":      "401 problem.identity_token",
		"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n":                                                           "400 problem.request",
	} {
		connection, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(connection, request)
		if err := errors.Join(err, connection.SetReadDeadline(time.Now().Add(patience))); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatalf("%.60q: %v", request, err)
		}
		var problem struct{ Code, Detail string }
		err = json.NewDecoder(response.Body).Decode(&problem)
		if got := fmt.Sprintf("%d %s", response.StatusCode, problem.Code); err != nil || got != want || problem.Detail == "" {
			t.Errorf("%.60q was answered %s, %v; want %s", request, got, err, want)
		}
		_ = connection.Close()
	}
	metrics := d.metrics()
	for _, line := range []string{`{status="400"} 2`, `{status="413"} 1`, `{status="431"} 1`} {
		if !strings.Contains(metrics, "eshik_http_unread_total"+line) {
			t.Errorf("not counted: %s", line)
		}
	}
	d.replies(aigul, "ЖАРДАМ", "Язык")
}

// TestAttackMethods asks in ways that nobody takes: the answer says so, and how to ask.
func TestAttackMethods(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for request, want := range map[string]string{
		"GET /ussd/africastalking": "POST", "DELETE /sms/twilio": "POST", "PUT /v1/certificates": "GET, HEAD, POST, OPTIONS",
		"POST /docs": "GET, HEAD", "PATCH /verify/abc": "GET, HEAD",
	} {
		method, path, _ := strings.Cut(request, " ")
		asked, err := http.NewRequestWithContext(t.Context(), method, d.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(asked)
		if err != nil {
			t.Fatal(err)
		}
		body := string(d.read(response))
		if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != want || !strings.Contains(body, "problem.no_method") {
			t.Errorf("%s: %d, Allow: %s, %s", request, response.StatusCode, response.Header.Get("Allow"), body)
		}
	}
}

// TestAttackDatabaseFileTellsNothing reads the files of the database for what
// may stand in them only sealed.
func TestAttackDatabaseFileTellsNothing(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	token := d.signIn(aigul)
	proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
	if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
		t.Fatalf("proof: %d", status)
	}
	var children []struct {
		Ref string `json:"ref"`
	}
	d.json(http.MethodGet, "/v1/preschool/children", token, nil, &children)
	if len(children) == 0 {
		t.Fatal("the sandbox gives no child")
	}
	in := map[string]any{"child": children[0].Ref, "kindergartens": []string{"K001"}}
	if status := d.json(http.MethodPost, "/v1/preschool/registrations", token, in, nil, "Idempotency-Key", "attack-1234"); status != http.StatusCreated {
		t.Fatalf("register: %d", status)
	}
	in = map[string]any{"kind": "RESIDENCE"}
	if status := d.json(http.MethodPost, "/v1/certificates", token, in, nil, "Idempotency-Key", "attack-1234"); status != http.StatusCreated {
		t.Fatalf("certificate: %d", status)
	}
	c, _ := d.dial(bakyt)
	c.say("", "1", "1", "01KG123ABC", "1", "1")
	secrets := []string{"11503198800011", "10905202300044", "ID1000001", aigul[4:], bakyt[4:], "attack-1234"}
	for _, m := range d.inbox(aigul) {
		secrets = append(secrets, m.Text)
		if code := sixDigits.FindString(m.Text); code != "" {
			secrets = append(secrets, code)
		}
	}
	files, err := filepath.Glob(filepath.Join(d.data, "eshik.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database in %s: %v", d.data, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if at := bytes.Index(data, []byte(secret)); at >= 0 {
				t.Errorf("%s holds %q: %q", filepath.Base(file), secret, data[max(0, at-40):min(len(data), at+40)])
			}
		}
	}
}

// TestAttackFsckOfNothing: a check of a folder where nothing is must not praise it.
func TestAttackFsckOfNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mistyped")
	out, err := exec.CommandContext(t.Context(), binary, "fsck", "--data", folder).CombinedOutput()
	if err == nil {
		t.Errorf("fsck is content with a folder that is not there: %s", out)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("fsck made %s", folder)
	}
}

// TestAttackBillsAreNotToBeCounted: whoever signs in may not learn by trying
// numbers which fines there are; looking at plates is limited too.
func TestAttackBillsAreNotToBeCounted(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	token := d.signIn(bakyt)
	told := 0
	for i := range 40 {
		in := map[string]any{"service": "fine", "refs": []string{fmt.Sprint(7_000_000_000_000 + i)}}
		if d.json(http.MethodPost, "/v1/payments", token, in, nil) == http.StatusCreated {
			told++
		}
	}
	if told > 20 {
		t.Errorf("%d of 40 strangers' fines were priced", told)
	}
}

// TestAttackConfirmingSendsFewMessages: each payment of the same fine sends an
// SMS that somebody pays for.
func TestAttackConfirmingSendsFewMessages(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	token := d.signIn(aigul)
	d.vehicle(token, "01KG123ABC")
	before := len(d.inbox(aigul))
	for range 30 {
		var p struct {
			ID string `json:"id"`
		}
		in := map[string]any{"service": "fine", "refs": []string{"7900000000003"}}
		if d.json(http.MethodPost, "/v1/payments", token, in, &p) == http.StatusCreated {
			d.json(http.MethodPut, "/v1/payments/"+p.ID+"/confirmation", token, nil, nil)
		}
	}
	d.text(aigul, "меню", "Эшик") // the outbox sends in order
	if n := len(d.inbox(aigul)) - before; n > 12 {
		t.Errorf("%d messages for one fine", n)
	}
}

// TestAttackManyPartnersRequestsAtOnce pays two codes of one bill with 64
// transactions at once, each sent twice: one is taken.
func TestAttackManyPartnersRequestsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		codes := make([]string, 0, 2)
		for _, phone := range []string{aigul, bakyt} {
			token := d.signIn(phone)
			d.vehicle(token, "01KG123ABC")
			var p struct {
				ID   string `json:"id"`
				Code string `json:"code"`
			}
			in := map[string]any{"service": "fine", "refs": []string{"7900000000003"}}
			d.json(http.MethodPost, "/v1/payments", token, in, &p)
			d.json(http.MethodPut, "/v1/payments/"+p.ID+"/confirmation", token, nil, &p)
			codes = append(codes, p.Code)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for i := range 16 {
			wg.Go(func() {
				body, _ := d.try("/sandbox/wallet/payments", `{"code":"`+codes[i%2]+`"}`)
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(body, `"result":0`) {
					taken++
				}
			})
		}
		wg.Wait()
		if taken != 1 {
			t.Errorf("%d payments of one bill were taken", taken)
		}
	})
}

// try posts JSON and gives what came, also from another goroutine.
func (d *door) try(path, body string) (string, error) {
	response, err := d.client.Post(d.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return string(data), err
}

// TestAttackEveryMistakeKeepsItsWayOut: a screen that says that the choice is
// wrong still shows what can be chosen.
func TestAttackEveryMistakeKeepsItsWayOut(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	c, _ := d.dial(aigul)
	for _, input := range []string{"1", "1", "zzz", "01KG123ABC", "1", "1", "7", "🚗", strings.Repeat("я", 2_000)} {
		screen := c.say("", input)
		if strings.HasPrefix(screen, "CON ") && !strings.Contains(screen, "\n0 ") && !strings.Contains(screen, "\n1 ") {
			t.Errorf("after %.20q nothing can be chosen: %q", input, screen)
		}
	}
}
