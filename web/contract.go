package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A contract is an OpenAPI 3.0 document made ready to be shown: in the order of
// the document, every reference to a named type a link to it.
type contract struct {
	Title, Version string
	About          [][]span
	Groups         []group
	Types          []namedType
}

// group is the operations that share a tag.
type group struct {
	Name, About string
	Operations  []operation
}

type operation struct {
	ID, Method, Path, Summary string
	About                     [][]span
	SignIn, Deprecated        bool
	Parameters                []field
	Body                      *body
	Answers                   []answer
	Curl                      string
}

// field is a parameter or a property.
type field struct {
	Name, In string // In is path, query or header; empty: of a body
	Type     typeRef
	Required bool
	About    []span
	Limits   []string
	Example  string
}

// typeRef names a type in words, of which To is the named type it leads to.
type typeRef struct{ Before, To, After string }

type body struct {
	Media   string
	Type    typeRef
	Fields  []field // of a type without a name
	Example string
}

type answer struct {
	Status string
	About  []span
	Media  string
	Type   typeRef
	// Headers are the names of those that the answer carries.
	Headers []string
}

// namedType is one of the document's schemas.
type namedType struct {
	Name   string
	Type   typeRef
	About  []span
	Limits []string
	Fields []field
	// Example is JSON over several lines, or empty.
	Example string
}

// span is a piece of prose; Code marks what stood between backticks, Strong what
// stood between two stars.
type span struct {
	Text         string
	Code, Strong bool
}

// readContract reads a document. It keeps the document's order, for which the
// loader tells where each part stood.
func readContract(document []byte) (*contract, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	c := &contract{Title: doc.Info.Title, Version: doc.Info.Version, About: paragraphs(doc.Info.Description)}
	for _, tag := range doc.Tags {
		c.Groups = append(c.Groups, group{Name: tag.Name, About: tag.Description})
	}
	for _, o := range operations(doc) {
		c.add(o)
	}
	if doc.Components == nil {
		return c, nil
	}
	for _, name := range inOrder(doc.Components.Schemas) {
		schema := doc.Components.Schemas[name].Value
		named := namedType{Name: name, About: prose(schema.Description), Limits: limits(schema), Fields: fields(schema)}
		if len(named.Fields) == 0 {
			named.Type = typeOf(doc.Components.Schemas[name])
		}
		if schema.Example != nil && len(named.Fields) > 0 {
			named.Example = indented(schema.Example)
		}
		c.Types = append(c.Types, named)
	}
	return c, nil
}

// placed is an operation and where it stands.
type placed struct {
	path, method string
	item         *openapi3.PathItem
	operation    *openapi3.Operation
}

func operations(doc *openapi3.T) []placed {
	var all []placed
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			all = append(all, placed{path: path, method: method, item: item, operation: o})
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(compare(a.operation.Origin, b.operation.Origin), cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	return all
}

// compare orders two parts of the document by their places in it.
func compare(a, b *openapi3.Origin) int {
	if a == nil || b == nil || a.Key == nil || b.Key == nil {
		return 0
	}
	return cmp.Or(cmp.Compare(a.Key.Line, b.Key.Line), cmp.Compare(a.Key.Column, b.Key.Column))
}

func inOrder(schemas openapi3.Schemas) []string {
	var names []string
	for name := range schemas {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(compare(origin(schemas[a]), origin(schemas[b])), cmp.Compare(a, b))
	})
	return names
}

// origin is where a schema, or the reference to one, stands.
func origin(ref *openapi3.SchemaRef) *openapi3.Origin {
	if ref.Origin != nil || ref.Ref != "" {
		return ref.Origin
	}
	return ref.Value.Origin
}

// add puts an operation into the group of its first tag.
func (c *contract) add(p placed) {
	o := operation{
		ID: p.operation.OperationID, Method: p.method, Path: p.path, Summary: p.operation.Summary,
		About: paragraphs(p.operation.Description), Deprecated: p.operation.Deprecated,
		SignIn:     p.operation.Security != nil && len(*p.operation.Security) > 0,
		Parameters: parameters(p), Body: bodyOf(p.operation), Answers: answers(p.operation),
	}
	o.Curl = curl(o)
	name := ""
	if len(p.operation.Tags) > 0 {
		name = p.operation.Tags[0]
	}
	at := slices.IndexFunc(c.Groups, func(g group) bool { return g.Name == name })
	if at < 0 {
		at = len(c.Groups)
		c.Groups = append(c.Groups, group{Name: name})
	}
	c.Groups[at].Operations = append(c.Groups[at].Operations, o)
}

func parameters(p placed) []field {
	var out []field
	for _, ref := range slices.Concat(p.item.Parameters, p.operation.Parameters) {
		parameter := ref.Value
		f := field{Name: parameter.Name, In: parameter.In, Required: parameter.Required, About: prose(parameter.Description)}
		if parameter.Schema != nil {
			f.Type, f.Limits = typeOf(parameter.Schema), limits(parameter.Schema.Value)
			f.Example = show(cmp.Or(parameter.Example, parameter.Schema.Value.Example))
		}
		out = append(out, f)
	}
	return out
}

func bodyOf(o *openapi3.Operation) *body {
	if o.RequestBody == nil {
		return nil
	}
	medias := keys(o.RequestBody.Value.Content)
	if len(medias) == 0 {
		return nil
	}
	content := o.RequestBody.Value.Content[medias[0]]
	b := &body{Media: medias[0], Type: typeOf(content.Schema), Example: exampleBody(content)}
	if content.Schema != nil && content.Schema.Ref == "" {
		b.Fields = fields(content.Schema.Value)
	}
	return b
}

// exampleBody is the document's own example, or one made of the schema.
func exampleBody(content *openapi3.MediaType) string {
	value := content.Example
	for _, name := range keys(content.Examples) {
		if value == nil && content.Examples[name].Value != nil {
			value = content.Examples[name].Value.Value
		}
	}
	if value == nil && content.Schema != nil {
		value = content.Schema.Value.Example
	}
	if text := indented(value); text != "" {
		return text
	}
	return sample(content.Schema, "", 0)
}

// indented is a value as people read JSON; "" is no value.
func indented(value any) string {
	if value == nil {
		return ""
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

func answers(o *openapi3.Operation) []answer {
	var out []answer
	all := o.Responses.Map()
	for _, status := range keys(all) {
		a := answer{Status: status, Headers: keys(all[status].Value.Headers)}
		if about := all[status].Value.Description; about != nil {
			a.About = prose(*about)
		}
		for _, media := range keys(all[status].Value.Content) {
			a.Media, a.Type = media, typeOf(all[status].Value.Content[media].Schema)
		}
		out = append(out, a)
	}
	return out
}

func keys[V any](m map[string]V) []string {
	var out []string
	for key := range m {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func show(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// paragraphs parts a description where it has an empty line.
func paragraphs(text string) [][]span {
	var out [][]span
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, prose(part))
		}
	}
	return out
}

// marked is what the contract's prose marks: `code` and **weight**.
var marked = regexp.MustCompile("`[^`]+`|\\*\\*[^*]+\\*\\*")

// prose parts a text at its marks.
func prose(text string) []span {
	var out []span
	text = strings.TrimSpace(text)
	at := 0
	for _, m := range marked.FindAllStringIndex(text, -1) {
		if m[0] > at {
			out = append(out, span{Text: text[at:m[0]]})
		}
		word := text[m[0]:m[1]]
		if code, ok := strings.CutPrefix(word, "`"); ok {
			out = append(out, span{Text: strings.TrimSuffix(code, "`"), Code: true})
		} else {
			out = append(out, span{Text: strings.Trim(word, "*"), Strong: true})
		}
		at = m[1]
	}
	if at < len(text) {
		out = append(out, span{Text: text[at:]})
	}
	return out
}
