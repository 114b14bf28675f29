package web

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// tinyContract has one of everything that the reference shows.
const tinyContract = `openapi: 3.0.3
info: {title: Tiny, version: "7", description: "First.\n\nSecond with ` + "`code`" + ` and **weight**, 2 * 3."}
tags:
  - {name: cars, description: What drives}
paths:
  /v1/zebras/{id}:
    parameters: [{name: id, in: path, required: true, example: z1, schema: {type: string}}]
    put:
      operationId: putZebra
      tags: [cars]
      summary: Put a zebra
      deprecated: true
      security: [{phone: []}]
      parameters: [{name: Idempotency-Key, in: header, required: true, schema: {type: string, minLength: 8}}]
      requestBody:
        content: {application/json: {schema: {type: object, required: [stripes], properties: {
          stripes: {type: integer, minimum: 1, maximum: 9, example: 5}, name: {type: string, maxLength: 3}, kind: {type: string, enum: [PLAIN, "<b>"]}, herd: {type: array, items: {$ref: "#/components/schemas/Zebra"}}}}}}
      responses:
        "200": {description: Put, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Zebra"}}}}}
        default: {description: Wrong, headers: {Retry-After: {schema: {type: integer}}}}
  /v1/apes:
    get:
      tags: [untold]
      operationId: listApes
      summary: Apes
      parameters: [{name: q, in: query, required: true, schema: {type: string, example: "a b"}}]
      responses: {"200": {description: Apes}}
components:
  securitySchemes: {phone: {type: http, scheme: bearer}}
  schemas:
    Zebra: {type: object, properties: {mother: {$ref: "#/components/schemas/Zebra"}, at: {type: string, format: date-time}}, example: {at: "noon"}}
    Age: {type: integer, description: In years, nullable: true}
`

// TestReferenceShowsTheContract: everything that an app's engineer asks the
// contract stands in the page, in the contract's order.
func TestReferenceShowsTheContract(t *testing.T) {
	t.Parallel()
	page := all(t, testPages(t), locales.RU)[Docs]
	at := 0
	for _, want := range []string{
		"Tiny 7", "<p>First.</p>", "<p>Second with <code>code</code> and <strong>weight</strong>, 2 * 3.</p>", "cars: What drives", `data-method="PUT" data-path="/v1/zebras/{id}" data-sign-in`,
		"Put a zebra", "нужен токен", "устарело", "path · string", "обязательно", "Idempotency-Key", "(at least 8 characters)",
		"stripes", "(from 1)", "(to 9)", "name", "(at most 3 characters)", "(one of: PLAIN, &lt;b&gt;)", "herd", `array of <a href="#type-Zebra">Zebra</a>`,
		"<dt>200</dt>", `array of <a href="#type-Zebra">`, "<dt>default</dt>", "Retry-After", "curl -X PUT &#34;$ESHIK/v1/zebras/z1&#34;", "Authorization: Bearer $TOKEN",
		"/v1/apes", "curl &#34;$ESHIK/v1/apes?q=a&#43;b&#34;", `id="type-Zebra"`, "mother", `<a href="#type-Zebra">Zebra</a>`, "string (date-time)", "&#34;at&#34;: &#34;noon&#34;", `id="type-Age"`, "In years", "(may be null)",
	} {
		found := strings.Index(page[at:], want)
		if found < 0 {
			t.Fatalf("%q does not follow: %s", want, page[at:min(len(page), at+1500)])
		}
		at += found
	}
	if strings.Contains(page, "<b>") {
		t.Error("the contract's text is markup")
	}
}

// TestSampleFollowsTheContract: the body that one is offered to change.
func TestSampleFollowsTheContract(t *testing.T) {
	t.Parallel()
	c, err := readContract([]byte(tinyContract))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Groups[0].Operations[0].Body.Example
	want := "{\n  \"stripes\": 5,\n  \"name\": \"\",\n  \"kind\": \"PLAIN\",\n  \"herd\": [{\"at\":\"noon\"}]\n}"
	if got != want {
		t.Errorf("the sample is %s", got)
	}
}

// TestReferenceOfOurContract: every field has a label, every link leads somewhere,
// no id stands twice, and the page is small.
func TestReferenceOfOurContract(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../api/citizen/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pages := testPagesOf(t, document)
	page := all(t, pages, locales.KY)[Docs]
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		ids[m[1]]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d things are called %s", n, id)
		}
	}
	for _, m := range regexp.MustCompile(`(?:href="#|for="|aria-labelledby="|aria-describedby=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] == 0 {
			t.Errorf("nothing is called %s", m[1])
		}
	}
	if n := strings.Count(page, `<article class="card operation"`); n != strings.Count(string(document), "operationId:") {
		t.Errorf("%d operations are shown", n)
	}
	reference, err := pages.Reference()
	if err != nil {
		t.Fatal(err)
	}
	response := ask(t, reference[locales.KY], http.MethodGet, "/docs", "Accept-Encoding", "gzip")
	if size := len(text(t, response.Body)); size > 40_000 || response.Header.Get("ETag") == "" || response.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d bytes, %v", size, response.Header)
	}
}
