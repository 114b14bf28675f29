package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// typeOf says a type in words.
func typeOf(ref *openapi3.SchemaRef) typeRef {
	if ref == nil || ref.Value == nil {
		return typeRef{}
	}
	if name := ref.Ref[strings.LastIndexByte(ref.Ref, '/')+1:]; name != "" {
		return typeRef{To: name}
	}
	schema := ref.Value
	if len(schema.AllOf) == 1 {
		return typeOf(schema.AllOf[0])
	}
	if schema.Type.Is(openapi3.TypeArray) {
		items := typeOf(schema.Items)
		items.Before = "array of " + items.Before
		return items
	}
	if schema.Type == nil {
		return typeRef{Before: "any"}
	}
	words := strings.Join(schema.Type.Slice(), " or ")
	if schema.Format != "" {
		words += " (" + schema.Format + ")"
	}
	return typeRef{Before: words}
}

// fields are the properties of an object, those of its parts included.
func fields(schema *openapi3.Schema) []field {
	var out []field
	for _, part := range schema.AllOf {
		out = append(out, fields(part.Value)...)
	}
	for _, name := range inOrder(schema.Properties) {
		ref := schema.Properties[name]
		f := field{Name: name, Type: typeOf(ref), Required: slices.Contains(schema.Required, name)}
		if ref.Ref == "" { // else its type says the rest
			f.About, f.Limits, f.Example = prose(ref.Value.Description), limits(ref.Value), show(ref.Value.Example)
		}
		out = append(out, f)
	}
	return out
}

// limits are what a value must keep to, as short notes.
func limits(schema *openapi3.Schema) []string {
	var out []string
	note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if len(schema.Enum) > 0 {
		var values []string
		for _, v := range schema.Enum {
			values = append(values, show(v))
		}
		note("one of: %s", strings.Join(values, ", "))
	}
	if schema.MinLength > 0 {
		note("at least %d characters", schema.MinLength)
	}
	if schema.MaxLength != nil {
		note("at most %d characters", *schema.MaxLength)
	}
	if schema.Pattern != "" {
		note("pattern %s", schema.Pattern)
	}
	if schema.Min != nil {
		note("from %s", strconv.FormatFloat(*schema.Min, 'f', -1, 64))
	}
	if schema.Max != nil {
		note("to %s", strconv.FormatFloat(*schema.Max, 'f', -1, 64))
	}
	if schema.MinItems > 0 {
		note("at least %d", schema.MinItems)
	}
	if schema.MaxItems != nil {
		note("at most %d", *schema.MaxItems)
	}
	if schema.Nullable {
		note("may be null")
	}
	if schema.Default != nil {
		note("default %s", show(schema.Default))
	}
	return out
}

// deepest is how far a sample goes into types that hold themselves.
const deepest = 4

// sample is a JSON value of the schema, for people to change, in the order of the
// document.
func sample(ref *openapi3.SchemaRef, indent string, depth int) string {
	if ref == nil || ref.Value == nil || depth > deepest {
		return "null"
	}
	schema := ref.Value
	value := cmp.Or(schema.Example, schema.Default)
	if value == nil && len(schema.Enum) > 0 {
		value = schema.Enum[0]
	}
	if value != nil {
		text, err := json.Marshal(value)
		if err == nil {
			return string(text)
		}
	}
	switch {
	case schema.Type.Is(openapi3.TypeArray):
		return "[" + sample(schema.Items, indent, depth+1) + "]"
	case schema.Type.Is(openapi3.TypeBoolean):
		return "true"
	case schema.Type.Is(openapi3.TypeInteger), schema.Type.Is(openapi3.TypeNumber):
		return "0"
	case len(schema.Properties) > 0:
		return sampleObject(schema, indent, depth)
	case len(schema.AllOf) > 0:
		return sample(schema.AllOf[0], indent, depth+1)
	case schema.Type.Is(openapi3.TypeObject):
		return "{}"
	}
	return `""`
}

func sampleObject(schema *openapi3.Schema, indent string, depth int) string {
	var lines []string
	for _, name := range inOrder(schema.Properties) {
		inner := indent + "  "
		lines = append(lines, fmt.Sprintf("%s%q: %s", inner, name, sample(schema.Properties[name], inner, depth+1)))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n" + indent + "}"
}

// curl is the operation as one types it; $ESHIK is the server's address.
func curl(o operation) string {
	path := o.Path
	var query, lines []string
	for _, p := range o.Parameters {
		value := cmp.Or(p.Example, strings.ToUpper(p.Name))
		switch {
		case p.In == openapi3.ParameterInPath && p.Example != "":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", p.Example)
		case p.In == openapi3.ParameterInQuery && p.Required:
			query = append(query, p.Name+"="+url.QueryEscape(value))
		case p.In == openapi3.ParameterInHeader && p.Required:
			lines = append(lines, fmt.Sprintf("-H '%s: %s'", p.Name, value))
		}
	}
	if o.SignIn {
		lines = append(lines, `-H "Authorization: Bearer $TOKEN"`)
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	first := fmt.Sprintf(`curl "$ESHIK%s"`, path)
	if o.Method != "GET" {
		first = fmt.Sprintf(`curl -X %s "$ESHIK%s"`, o.Method, path)
	}
	if o.Body != nil {
		lines = append(lines, fmt.Sprintf("-H 'Content-Type: %s'", o.Body.Media), "-d '"+strings.ReplaceAll(o.Body.Example, "'", `'\''`)+"'")
	}
	return strings.Join(append([]string{first}, lines...), " \\\n  ")
}
