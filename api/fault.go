package api

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/problem"
)

// FaultCode says what is wrong with one field. Each has a sentence in the locale
// files, under "fault.".
type FaultCode string

// The codes of faults; docs/guides/errors.md publishes them.
const (
	FaultRequired FaultCode = "required" // it is missing
	FaultUnknown  FaultCode = "unknown"  // there is no such field
	FaultType     FaultCode = "type"     // a string where a number is wanted, and the like
	FaultTooShort FaultCode = "too_short"
	FaultTooLong  FaultCode = "too_long"
	FaultTooFew   FaultCode = "too_few"
	FaultTooMany  FaultCode = "too_many"
	FaultPattern  FaultCode = "pattern" // characters that are not allowed
	FaultChoice   FaultCode = "choice"  // none of those to choose from
	FaultFormat   FaultCode = "format"  // not written as a date, a phone … is
	FaultRange    FaultCode = "range"
	FaultRepeated FaultCode = "repeated"
	FaultJSON     FaultCode = "json" // the body is no JSON
	FaultOther    FaultCode = "other"
)

// FaultCodes lists the codes in the order of the published list.
var FaultCodes = []FaultCode{
	FaultRequired, FaultUnknown, FaultType, FaultTooShort, FaultTooLong, FaultTooFew, FaultTooMany, FaultPattern,
	FaultChoice, FaultFormat, FaultRange, FaultRepeated, FaultJSON, FaultOther,
}

// Key names the code's sentence in the locale files.
func (c FaultCode) Key() string { return "fault." + string(c) }

// Fault is one fault of a request, and where it is.
type Fault struct {
	In      string // body, query, path or header
	Pointer string // into the body, by RFC 6901; "" is the whole body
	Name    string // of the parameter or header
	Code    FaultCode
	args    []any // fill the sentence's placeholders
}

// faulty is a problem with the faults that make it.
type faulty struct {
	problem error
	faults  []Fault
}

// Error implements error. It names no field: a body's names come from outside.
func (f *faulty) Error() string { return f.problem.Error() }

// Unwrap gives the problem.
func (f *faulty) Unwrap() error { return f.problem }

// At says where in the request the cause of err is.
func At(err error, faults ...Fault) error { return &faulty{problem: err, faults: faults} }

var errRequest = problem.New(problem.Invalid, "problem.request")

// validate checks the request against its operation. The validator's sentences
// quote the schema and the input, and are not passed on: what is wrong and where
// is.
func validate(c *fiber.Ctx, r *http.Request, route *routers.Route, parameters map[string]string) error {
	err := openapi3filter.ValidateRequest(c.UserContext(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	})
	faults := faultsOf(err)
	if err != nil && len(faults) == 0 {
		faults = []Fault{{In: "body", Code: FaultOther}}
	}
	faults = append(faults, impossibleDates(r, route.Operation.Parameters)...)
	faults = once(append(faults, repeated(c, r, route.Operation.Parameters)...))
	if len(faults) == 0 {
		faults = unreadNumbers(c.Body(), fieldsOf(route.Operation.RequestBody))
	}
	if len(faults) == 0 {
		return nil
	}
	return At(errRequest, faults[:min(len(faults), maxFaults)]...)
}

// maxFaults bounds the list: a body of a thousand unknown fields is told enough.
const maxFaults = 20

// once leaves out what was told already.
func once(faults []Fault) []Fault {
	kept := faults[:0]
	for _, f := range faults {
		same := func(g Fault) bool {
			return f.In == g.In && f.Pointer == g.Pointer && f.Name == g.Name && f.Code == g.Code
		}
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, f)
		}
	}
	return kept
}

// impossibleDates finds days that no calendar has: the contract's format is a
// pattern only.
func impossibleDates(r *http.Request, parameters openapi3.Parameters) []Fault {
	var faults []Fault
	for _, p := range parameters {
		if p.Value.In != openapi3.ParameterInQuery || p.Value.Schema.Value.Format != "date" {
			continue
		}
		typed := r.URL.Query().Get(p.Value.Name)
		if _, err := time.Parse(time.DateOnly, typed); typed != "" && err != nil {
			faults = append(faults, Fault{In: "query", Name: p.Value.Name, Code: FaultFormat})
		}
	}
	return faults
}

// faultsOf takes the validator's error apart.
func faultsOf(err error) []Fault {
	var faults []Fault
	switch e := err.(type) { //nolint:errorlint // a list is taken apart level by level
	case openapi3.MultiError:
		for _, one := range e {
			faults = append(faults, faultsOf(one)...)
		}
	case *openapi3filter.RequestError:
		at := Fault{In: "body"}
		if e.Parameter != nil {
			at = Fault{In: e.Parameter.In, Name: e.Parameter.Name}
		}
		faults = faultsAt(at, e.Err)
	}
	return faults
}

// faultsAt gives the faults of one parameter or body.
func faultsAt(at Fault, err error) []Fault {
	if several, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // as above
		var faults []Fault
		for _, one := range several {
			faults = append(faults, faultsAt(at, one)...)
		}
		return faults
	}
	var schema *openapi3.SchemaError
	var parse *openapi3filter.ParseError
	switch {
	case errors.As(err, &schema) && schema.SchemaField == "properties" && at.In == "body":
		return unknownFields(schema)
	case errors.As(err, &schema):
		at.Code, at.args = codeOf(schema)
		if at.In == "body" {
			at.Pointer = pointer(schema.JSONPointer())
		}
	case errors.Is(err, openapi3filter.ErrInvalidRequired), errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		at.Code = FaultRequired
	case errors.As(err, &parse) && at.In == "body":
		at.Code = FaultJSON
	case errors.As(err, &parse):
		at.Code = FaultFormat
	default:
		at.Code = FaultOther
	}
	return []Fault{at}
}

// unknownFields are the fields of an object that its schema does not have: the
// validator tells the object only. Their names come from the caller, who gets back
// those that can be names: a number or a word in a name's place may be somebody's
// personal number or secret, which is repeated nowhere.
func unknownFields(e *openapi3.SchemaError) []Fault {
	object, _ := e.Value.(map[string]any)
	var faults []Fault
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, known := e.Schema.Properties[name]; !known && fieldName.MatchString(name) {
			faults = append(faults, Fault{In: "body", Pointer: pointer(append(e.JSONPointer(), name)), Code: FaultUnknown})
		}
	}
	if len(faults) == 0 {
		faults = []Fault{{In: "body", Pointer: pointer(e.JSONPointer()), Code: FaultUnknown}}
	}
	return faults
}

// fieldName is what a field is called anywhere: letters, with - . / ~ between.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z_./~-]{0,63}$`)

// codeOf names a schema's complaint, with what fills its sentence.
func codeOf(e *openapi3.SchemaError) (FaultCode, []any) {
	limit := func(n uint64) []any { return []any{"n", n} }
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return FaultRequired, nil
	case "properties", "additionalProperties":
		return FaultUnknown, nil
	case "type", "nullable":
		return FaultType, nil
	case "minLength":
		return FaultTooShort, limit(s.MinLength)
	case "maxLength":
		return FaultTooLong, limit(*s.MaxLength)
	case "minItems":
		return FaultTooFew, limit(s.MinItems)
	case "maxItems":
		return FaultTooMany, limit(*s.MaxItems)
	case "pattern":
		return FaultPattern, nil
	case "enum":
		return FaultChoice, []any{"choices", choices(s.Enum)}
	case "format":
		return FaultFormat, nil
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		return FaultRange, nil
	case "uniqueItems":
		return FaultRepeated, nil
	}
	return FaultOther, nil
}

// choices writes an enumeration of strings.
func choices(values []any) string {
	var names []string
	for _, value := range values {
		if name, ok := value.(string); ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// pointer writes a path as RFC 6901 does.
func pointer(path []string) string {
	var out strings.Builder
	for _, token := range path {
		out.WriteByte('/')
		out.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	return out.String()
}

// fileType is that of a body which is a file: what it is its content says.
const fileType = fiber.MIMEOctetStream

// takesFile reports an operation, nil for none, whose body is a file.
func takesFile(operation *openapi3.Operation) bool {
	return operation != nil && operation.RequestBody != nil && operation.RequestBody.Value.Content[fileType] != nil
}

// takes reports that a body of this Content-Type is what an operation with a body takes: JSON, or a file.
func takes(operation *openapi3.Operation, contentType string) bool {
	if takesFile(operation) {
		return contentType == fileType
	}
	return isJSON(contentType)
}

// isJSON reports that a body of this Content-Type is what the contract takes.
func isJSON(contentType string) bool {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" {
		return false
	}
	charset := strings.ToLower(parameters["charset"])
	return slices.Contains([]string{"", "utf-8", "utf8"}, charset)
}
