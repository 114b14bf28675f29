package api

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
)

// illegible finds what is not UTF-8 without NUL, which no text column of
// PostgreSQL takes: in the path, the query, the body, where that is no file, or the key.
func (k *Contract) illegible(c *fiber.Ctx) []Fault {
	var faults []Fault
	if !legible(url.PathUnescape(c.Path())) {
		faults = append(faults, k.illegiblePath(c)...)
	}
	if query := string(c.Request().URI().QueryString()); !legible(url.QueryUnescape(query)) {
		faults = append(faults, k.illegibleQuery(c, query)...)
	}
	if !legible(string(c.Body()), nil) && !k.sendsFile(c) {
		faults = append(faults, Fault{In: "body", Code: FaultPattern})
	}
	if !legible(c.Get(idempotencyKey), nil) {
		faults = append(faults, Fault{In: "header", Name: idempotencyKey, Code: FaultPattern})
	}
	return faults
}

// legible reports that a text could be unescaped and read.
func legible(text string, err error) bool {
	return err == nil && utf8.ValidString(text) && !strings.Contains(text, "\x00") && !strings.Contains(text, `\u0000`)
}

// sendsFile reports a request whose body is a file.
func (k *Contract) sendsFile(c *fiber.Ctx) bool {
	operation, _ := k.asSent(c)
	return takesFile(operation)
}

// illegiblePath names the parameters of the path that cannot be read. A path that
// the contract does not have has no names.
func (k *Contract) illegiblePath(c *fiber.Ctx) []Fault {
	var faults []Fault
	_, parameters := k.asSent(c)
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !legible(url.PathUnescape(parameters[name])) {
			faults = append(faults, Fault{In: "path", Name: name, Code: FaultPattern})
		}
	}
	if len(faults) == 0 {
		return []Fault{{In: "path", Code: FaultPattern}}
	}
	return faults
}

// illegibleQuery names the parameters of the query that cannot be read. A name that
// the contract does not have is not repeated: it may be somebody's number.
func (k *Contract) illegibleQuery(c *fiber.Ctx, query string) []Fault {
	var faults []Fault
	operation, _ := k.asSent(c)
	for _, pair := range strings.Split(query, "&") {
		if legible(url.QueryUnescape(pair)) {
			continue
		}
		at := Fault{In: "query", Code: FaultPattern}
		typed, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(typed); err == nil && operation != nil {
			if p := operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name); p != nil {
				at.Name = p.Name
			}
		}
		faults = append(faults, at)
	}
	return once(faults)
}

// asSent finds the operation of a request, and its parameters in the path, by the
// path as it was sent; nil: the contract has none.
func (k *Contract) asSent(c *fiber.Ctx) (*openapi3.Operation, map[string]string) {
	method := c.Method()
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, parameters, err := k.find(&http.Request{Method: method, URL: &url.URL{Path: c.Path()}})
	if err != nil {
		return nil, nil
	}
	return route.Operation, parameters
}
