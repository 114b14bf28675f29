package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// ask makes a request with headers and gives the answer with its body.
func (d *door) ask(method, path string, headers ...string) (*http.Response, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return response, string(d.read(response))
}

// chrome is what a browser accepts for an address that was typed.
const chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

// TestABrowserIsLedOn (A14): a page for a browser at an unknown address, the
// problem for all others and for everything else.
func TestABrowserIsLedOn(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for name, c := range map[string]struct {
		method, path, accept, language string
		status                         int
		page                           bool
		want                           string
	}{
		"browser":             {"GET", "/nowhere", chrome, "ky", 404, true, "Мындай барак жок"},
		"browser in Russian":  {"GET", "/nowhere", chrome, "ru-RU,ru;q=0.9", 404, true, "Такой страницы нет"},
		"by the address":      {"GET", "/nowhere?lang=ru", chrome, "ky", 404, true, `lang="ru"`},
		"deep":                {"GET", "/a/b/c.html", chrome, "ky", 404, true, "Мындай барак жок"},
		"under the API":       {"GET", "/v1/nowhere", chrome, "ky", 404, true, "Мындай барак жок"},
		"head":                {"HEAD", "/nowhere", chrome, "ky", 404, true, ""},
		"program":             {"GET", "/nowhere", "", "ky", 404, false, "problem.no_route"},
		"anything":            {"GET", "/nowhere", "*/*", "ky", 404, false, "problem.no_route"},
		"json first":          {"GET", "/nowhere", "application/json, text/html;q=0.9", "ky", 404, false, "problem.no_route"},
		"html refused":        {"GET", "/nowhere", "text/html;q=0, */*", "ky", 404, false, "problem.no_route"},
		"a form":              {"POST", "/nowhere", chrome, "ky", 404, false, "problem.no_route"},
		"an absent thing":     {"GET", "/v1/verifications/K7MN-4PQR-2XG", chrome, "ky", 400, false, "problem.certificate_number"},
		"an operation":        {"GET", "/v1/certificates", chrome, "ky", 401, false, "problem.token_missing"},
		"a method of nothing": {"PUT", "/docs", chrome, "ky", 405, false, "problem.no_method"},
	} {
		response, body := d.ask(c.method, c.path, "Accept", c.accept, "Accept-Language", c.language)
		html := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html")
		if response.StatusCode != c.status || html != c.page || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s %.200s", name, response.StatusCode, response.Header.Get("Content-Type"), body)
		}
		if c.page && c.method == "GET" {
			for _, link := range []string{`href="/?lang=`, `href="/verify?lang=`, `href="/docs?lang=`} {
				if !strings.Contains(body, link) {
					t.Errorf("%s: the page lacks %s", name, link)
				}
			}
		}
		if c.status == 404 && c.method != "POST" && !strings.Contains(response.Header.Get("Vary"), "Accept,") && !strings.HasSuffix(response.Header.Get("Vary"), "Accept") {
			t.Errorf("%s: varies by %q", name, response.Header.Get("Vary"))
		}
	}
}

// TestOtherOrigins (A16): none by default; the listed ones, with what they need.
func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	const listed, other = "https://app.example", "https://evil.example"
	closed, shared := embedded(t), open(t, []string{"ESHIK_CORS_ORIGINS=" + listed + ",http://localhost:3000"})
	anyone := open(t, []string{"ESHIK_CORS_ORIGINS=*"})
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,idempotency-key"}
	for name, c := range map[string]struct {
		d            *door
		origin       string
		path, method string
		status       int
		want         string
	}{
		"off":                  {closed, listed, "/v1/preschool/districts", "GET", 200, ""},
		"off, preflight":       {closed, listed, "/v1/certificates", "OPTIONS", 204, ""},
		"listed":               {shared, listed, "/v1/preschool/districts", "GET", 200, listed},
		"listed, preflight":    {shared, listed, "/v1/certificates", "OPTIONS", 204, listed},
		"listed, a problem":    {shared, listed, "/v1/certificates", "GET", 401, listed},
		"the second":           {shared, "http://localhost:3000", "/v1/preschool/districts", "GET", 200, "http://localhost:3000"},
		"another port":         {shared, "http://localhost:3001", "/v1/preschool/districts", "GET", 200, ""},
		"another":              {shared, other, "/v1/preschool/districts", "GET", 200, ""},
		"another, preflight":   {shared, other, "/v1/certificates", "OPTIONS", 204, ""},
		"longer":               {shared, listed + ".evil.example", "/v1/preschool/districts", "GET", 200, ""},
		"null":                 {shared, "null", "/v1/preschool/districts", "GET", 200, ""},
		"no page of ours":      {shared, listed, "/verify", "GET", 200, ""},
		"any":                  {anyone, other, "/v1/preschool/districts", "GET", 200, "*"},
		"not for the partners": {anyone, other, "/partner/osmp", "GET", 0, ""},
	} {
		headers := []string{"Origin", c.origin}
		if c.method == "OPTIONS" {
			headers = append(headers, preflight...)
		}
		response, body := c.d.ask(c.method, c.path, headers...)
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != c.want || c.status != 0 && response.StatusCode != c.status {
			t.Errorf("%s: %d allows %q: %.100s", name, response.StatusCode, got, body)
		}
		if response.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: cookies are allowed", name)
		}
		allowed := response.Header.Get("Access-Control-Allow-Headers")
		if c.want != "" && c.method == "OPTIONS" && (!strings.Contains(allowed, "Idempotency-Key") || !strings.Contains(allowed, "Authorization")) {
			t.Errorf("%s: allows the headers %q", name, allowed)
		}
	}
}

// TestTheContractIsServed (A15): as YAML and as JSON, the same to any reader.
func TestTheContractIsServed(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for path, kind := range map[string]string{"/v1/openapi.yaml": "application/yaml", "/v1/openapi.json": "application/json"} {
		response, body := d.ask("GET", path)
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) ||
			!strings.Contains(body, "operationId") || !strings.Contains(body, "getReceipt") {
			t.Errorf("%s: %d %s %.80s", path, response.StatusCode, response.Header.Get("Content-Type"), body)
		}
		if head, _ := d.ask("HEAD", path); head.StatusCode != http.StatusOK {
			t.Errorf("A11: HEAD %s: %d", path, head.StatusCode)
		}
	}
	pdfs(t, d)
}

// pdfs: a document comes with its number as a file name, and is not stored (A10).
func pdfs(t *testing.T, d *door) {
	t.Helper()
	number, _ := issueOverREST(d)
	token := appOfAigul(d)
	path := "/v1/certificates/" + number + "/document"
	for _, method := range []string{"GET", "HEAD"} {
		response, body := d.ask(method, path, "Authorization", "bearer "+token) // A9
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Disposition") != `attachment; filename="`+number+`.pdf"` ||
			response.Header.Get("Cache-Control") != "no-store" || (method == "HEAD") != (body == "") {
			t.Errorf("%s: %d %v, %d bytes", method, response.StatusCode, response.Header, len(body))
		}
	}
}
