package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
)

// repeated finds what a request gives twice where it may once: of the two readers that
// a request has, one could take the first and the other the last.
func repeated(c *fiber.Ctx, r *http.Request, parameters openapi3.Parameters) []Fault {
	var faults []Fault
	query := r.URL.Query()
	for _, p := range parameters {
		at := Fault{In: p.Value.In, Name: p.Value.Name, Code: FaultRepeated}
		switch {
		case p.Value.In == openapi3.ParameterInQuery && !p.Value.Schema.Value.Type.Is("array") && len(query[at.Name]) > 1,
			p.Value.In == openapi3.ParameterInHeader && len(c.Request().Header.PeekAll(at.Name)) > 1:
			faults = append(faults, at)
		}
	}
	if c.Get(fiber.HeaderContentType) == fileType { // of which the operation takes no other
		return faults
	}
	if !json.Valid(c.Body()) { // which the validator tells, but for what follows the value
		if len(c.Body()) > 0 {
			faults = append(faults, Fault{In: "body", Code: FaultJSON})
		}
		return faults
	}
	return append(faults, repeatedNames(json.NewDecoder(bytes.NewReader(c.Body())), nil)...)
}

// repeatedNames finds the names that an object of valid JSON gives twice (RFC 8259,
// section 4), at any depth. Names are repeated as unknownFields does.
func repeatedNames(d *json.Decoder, path []string) []Fault {
	token, err := d.Token()
	if err != nil {
		return nil
	}
	var faults []Fault
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			name, _ := d.Token()
			field, _ := name.(string)
			at := append(path, field)
			if seen[field] && fieldName.MatchString(field) {
				faults = append(faults, Fault{In: "body", Pointer: pointer(at), Code: FaultRepeated})
			} else if seen[field] {
				faults = append(faults, Fault{In: "body", Pointer: pointer(path), Code: FaultRepeated})
			}
			seen[field] = true
			faults = append(faults, repeatedNames(d, at)...)
		}
		_, _ = d.Token() // the end, which valid JSON has
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			faults = append(faults, repeatedNames(d, append(path, strconv.Itoa(i)))...)
		}
		_, _ = d.Token()
	}
	return faults
}

// unreadNumbers finds the whole numbers of a body that the schema takes and the program does not read: those that are
// written with a fraction or an exponent (1.0, 1e3), and those beyond 64 bits.
func unreadNumbers(body []byte, fields openapi3.Schemas) []Fault {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return nil
	}
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(given)) {
		field, known := fields[name]
		if !known || !field.Value.Type.Is(openapi3.TypeInteger) {
			continue
		}
		code := FaultType
		if whole.Match(given[name]) {
			code = FaultRange
		}
		if _, err := strconv.ParseInt(string(given[name]), 10, 64); err != nil && string(given[name]) != "null" {
			faults = append(faults, Fault{In: "body", Pointer: pointer([]string{name}), Code: code})
		}
	}
	return faults
}

// whole is a whole number as JSON's readers in every language take it.
var whole = regexp.MustCompile(`^-?[0-9]+$`)
