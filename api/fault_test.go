package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// told is a problem as a client reads it.
type told struct {
	Detail, Code, Level string
	Errors              []struct {
		In, Name, Code, Detail string
		Pointer                *string
	}
}

// short writes the faults in one line: where and what.
func (p told) short() string {
	var out []string
	for _, e := range p.Errors {
		at := e.In + " " + e.Name
		if e.Pointer != nil {
			at = e.In + " " + *e.Pointer
		}
		out = append(out, at+" "+e.Code)
	}
	return strings.Join(out, "; ")
}

// TestFaultsSayWhere (A3): every fault of a request, each where it is.
func TestFaultsSayWhere(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	token := []string{"Authorization", "Bearer good"}
	keyed := append([]string{"Idempotency-Key", "12345678"}, token...)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               string
	}{
		"missing":          {"POST", "/v1/codes", `{}`, nil, "body /phone required"},
		"no body":          {"POST", "/v1/codes", ``, nil, "body  required"},
		"no JSON":          {"POST", "/v1/codes", `phone`, nil, "body  json"},
		"half of JSON":     {"POST", "/v1/codes", `{"phone":`, nil, "body  json"},
		"an array":         {"POST", "/v1/codes", `[]`, nil, "body  type"},
		"null":             {"POST", "/v1/codes", `{"phone":null}`, nil, "body /phone type"},
		"a number":         {"POST", "/v1/codes", `{"phone":996555000001}`, nil, "body /phone type"},
		"empty":            {"POST", "/v1/codes", `{"phone":""}`, nil, "body /phone too_short"},
		"too long":         {"POST", "/v1/codes", `{"phone":"` + strings.Repeat("9", 33) + `"}`, nil, "body /phone too_long"},
		"unknown":          {"POST", "/v1/codes", `{"phone":"+996555000001","pin":"1"}`, nil, "body /pin unknown"},
		"two unknown":      {"POST", "/v1/codes", `{"pin":"1","otp":2}`, nil, "body /pin unknown; body /otp unknown; body /phone required"},
		"a number's name":  {"POST", "/v1/codes", `{"phone":"+996555000001","11503198800011":1}`, nil, "body  unknown"},
		"a document":       {"POST", "/v1/codes", `{"phone":"+996555000001","ID1000001":1}`, nil, "body  unknown"},
		"escaped":          {"POST", "/v1/codes", `{"phone":"+996555000001","a/b~c":"1"}`, nil, "body /a~1b~0c unknown"},
		"several":          {"POST", "/v1/tokens", `{"code":1}`, nil, "body /code type; body /phone required"},
		"inside an array":  {"POST", "/v1/payments", `{"service":"fine","refs":["1",2]}`, token, "body /refs/1 type"},
		"too few":          {"POST", "/v1/payments", `{"service":"fine","refs":[]}`, token, "body /refs too_few"},
		"too many":         {"POST", "/v1/payments", `{"service":"fine","refs":[` + strings.Repeat(`"1",`, 50) + `"1"]}`, token, "body /refs too_many"},
		"no choice":        {"POST", "/v1/certificates", `{"kind":"residence"}`, keyed, "body /kind choice"},
		"no key":           {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, token, "header Idempotency-Key required"},
		"short key":        {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, append([]string{"Idempotency-Key", "1"}, token...), "header Idempotency-Key too_short"},
		"key and body":     {"POST", "/v1/certificates", `{}`, token, "body /kind required; header Idempotency-Key required"},
		"no query":         {"GET", "/v1/fines", "", token, "query plate required"},
		"empty query":      {"GET", "/v1/fines?plate=", "", token, "query plate too_short"},
		"long query":       {"GET", "/v1/fines?plate=" + strings.Repeat("1", 65), "", token, "query plate too_long"},
		"no date":          {"GET", "/v1/statistics/usage?from=yesterday", "", nil, "query from format"},
		"no such day":      {"GET", "/v1/statistics/usage?to=2026-02-30", "", nil, "query to format"},
		"two bad days":     {"GET", "/v1/statistics/usage?from=2026-13-01&to=2026-11-31", "", nil, "query from format; query to format"},
		"long path":        {"GET", "/v1/verifications/" + strings.Repeat("A", 201), "", nil, "path number too_long"},
		"NUL in the path":  {"GET", "/v1/verifications/a%00b", "", nil, "path number pattern"},
		"NUL in the query": {"GET", "/v1/fines?plate=%00", "", token, "query plate pattern"},
		"path not UTF-8":   {"GET", "/v1/payments/%ff", "", token, "path id pattern"},
		"half a letter":    {"GET", "/v1/payments/%d0", "", token, "path id pattern"},
		"a path of nobody": {"GET", "/v1/nothing/%ff", "", nil, "path  pattern"},
		"query not UTF-8":  {"GET", "/v1/fines?plate=%ff", "", token, "query plate pattern"},
		"query, no escape": {"GET", "/v1/fines?plate=%zz", "", token, "query plate pattern"},
		"escaped name":     {"GET", "/v1/fines?pl%61te=%C3%28", "", token, "query plate pattern"},
		"two illegible":    {"GET", "/v1/statistics/usage?from=%ff&to=%00&from=%fe", "", nil, "query from pattern; query to pattern"},
		"name of nobody":   {"GET", "/v1/fines?plate=1&11503198800011=%ff", "", token, "query  pattern"},
		"illegible name":   {"GET", "/v1/fines?pl%ffate=1", "", token, "query  pattern"},
		"path and query":   {"GET", "/v1/payments/%ff?x=%ff", "", token, "path id pattern; query  pattern"},
		"key not UTF-8":    {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, append([]string{"Idempotency-Key", "1234567\xff"}, token...), "header Idempotency-Key pattern"},
		"NUL in the body":  {"POST", "/v1/codes", `{"phone":"\u0000"}`, nil, "body  pattern"},
		"a second value":   {"POST", "/v1/codes", `{"phone":"+996555000001"} {}`, nil, "body  json"},
		"a comma after":    {"POST", "/v1/codes", `{"phone":"+996555000001"},`, nil, "body  json"},
		"a brace after":    {"POST", "/v1/codes", `{"phone":"+996555000001"}}`, nil, "body  json"},
		"a name twice":     {"POST", "/v1/codes", `{"phone":"+996555000001","phone":"+996555000002"}`, nil, "body /phone repeated"},
		"escaped twice":    {"POST", "/v1/codes", `{"phone":"+996555000001","\u0070hone":"+996555000002"}`, nil, "body /phone repeated"},
		"a number twice":   {"POST", "/v1/codes", `{"phone":"+996555000001","11503198800011":1,"11503198800011":1}`, nil, "body  unknown; body  repeated"},
		"deep and twice":   {"POST", "/v1/payments", `{"service":"fine","refs":["1",{"a":1,"a":2}]}`, token, "body /refs/1 type; body /refs/1/a repeated"},
		"second too long":  {"POST", "/v1/payments", `{"service":"fine","refs":["1","` + strings.Repeat("1", 33) + `",""]}`, token, "body /refs/1 too_long; body /refs/2 too_short"},
		"query twice":      {"GET", "/v1/fines?plate=1&plate=2", "", token, "query plate repeated"},
		"query equal":      {"GET", "/v1/statistics/usage?from=2026-11-01&from=2026-11-01", "", nil, "query from repeated"},
		"key twice":        {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, append([]string{"Idempotency-Key", "87654321"}, keyed...), "header Idempotency-Key repeated"},
		"many unknown":     {"POST", "/v1/codes", manyFields(300), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := call(t, app, c.method, c.path, c.body, c.headers...)
			var p told
			if err := json.Unmarshal([]byte(body), &p); err != nil || status != http.StatusBadRequest || p.Code != "problem.request" {
				t.Fatalf("%d %s, %v", status, body, err)
			}
			for _, e := range p.Errors {
				if e.Detail == "" || strings.Contains(e.Detail, "fault.") || strings.Contains(e.Detail, "{") {
					t.Errorf("%s says %q", e.Code, e.Detail)
				}
			}
			if c.want == "" {
				if len(p.Errors) != maxFaults {
					t.Errorf("%d faults are told", len(p.Errors))
				}
				return
			}
			if got := p.short(); !sameList(got, c.want) {
				t.Errorf("told %q, not %q", got, c.want)
			}
		})
	}
}

func manyFields(n int) string {
	var fields []string
	for i := range n {
		fields = append(fields, fmt.Sprintf(`"f%c%c":1`, 'a'+i/26, 'a'+i%26))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// sameList compares lists in any order.
func sameList(a, b string) bool {
	count := map[string]int{}
	for _, s := range strings.Split(a, "; ") {
		count[s]++
	}
	for _, s := range strings.Split(b, "; ") {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestFaultsSpeakTheCallersLanguage (A3): with what fills the sentence.
func TestFaultsSpeakTheCallersLanguage(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for language, want := range map[string]string{
		"ky": "Тандаңыз: RESIDENCE, FAMILY_COMPOSITION", "ru": "Выберите: RESIDENCE, FAMILY_COMPOSITION",
		"en": "Choose from: RESIDENCE, FAMILY_COMPOSITION", "ky-Latn": "RESIDENCE, FAMILY_COMPOSITION",
	} {
		_, body, _ := call(t, app, http.MethodPost, "/v1/certificates", `{"kind":"CAR"}`,
			"Authorization", "Bearer good", "Idempotency-Key", "12345678", "Accept-Language", language)
		var p told
		if err := json.Unmarshal([]byte(body), &p); err != nil || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, want) {
			t.Errorf("%s: %s, %v", language, body, err)
		}
	}
}

// TestEveryFaultHasItsSentence holds the codes to the locale files.
func TestEveryFaultHasItsSentence(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range FaultCodes {
		if !texts.Has(code.Key()) {
			t.Errorf("%s has no sentence", code)
		}
	}
}

// TestTheChallengeNamesTheLevel (A2): a token that lacks the proof is not a dead one.
func TestTheChallengeNamesTheLevel(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for name, c := range map[string]struct {
		path, token, code, level, challenge string
		status                              int
	}{
		"no token":          {"/v1/certificates", "", "problem.token_missing", "", `Bearer realm="eshik"`, 401},
		"a dead token":      {"/v1/certificates", "Bearer dead", "problem.identity_token", "", `Bearer realm="eshik", error="invalid_token"`, 401},
		"a phone's token":   {"/v1/certificates", "Bearer phone", "problem.level_proven", "proven", "", 403},
		"before the checks": {"/v1/fines/details", "Bearer phone", "problem.level_proven", "proven", "", 403},
		"a weak proof":      {"/v1/certificates", "Bearer weak", "problem.level_strong", "strong", "", 403},
		"a phone's own":     {"/v1/profile", "Bearer phone", "", "", "", 200},
		"proven":            {"/v1/certificates", "Bearer good", "", "", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, header := call(t, app, http.MethodGet, c.path, "", "Authorization", c.token)
			var p told
			if status >= 400 {
				if err := json.Unmarshal([]byte(body), &p); err != nil {
					t.Fatal(err)
				}
			}
			if status != c.status || p.Code != c.code || p.Level != c.level {
				t.Errorf("%d %+v", status, p)
			}
			challenge := header.Get("WWW-Authenticate")
			if c.status == 403 {
				for _, want := range []string{"Bearer ", `error="insufficient_user_authentication"`, `acr_values="` + c.level + `"`} {
					if !strings.Contains(challenge, want) {
						t.Errorf("the challenge %q lacks %q", challenge, want)
					}
				}
			} else if challenge != c.challenge {
				t.Errorf("the challenge is %q", challenge)
			}
		})
	}
}

// TestAnswersAreNotStored (A10): neither what is personal nor the problems.
func TestAnswersAreNotStored(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for _, path := range []string{"/v1/certificates", "/v1/preschool/offers", "/v1/nothing", "/elsewhere"} {
		for _, token := range []string{"Bearer good", "Bearer dead"} {
			_, _, header := call(t, app, http.MethodGet, path, "", "Authorization", token)
			if path != "/elsewhere" && header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s with %s: %q", path, token, header.Get("Cache-Control"))
			}
		}
	}
}
