package registry

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// expected is what an answer must be an answer to.
type expected struct {
	id                   string // of the message
	namespace, operation string
}

// The ways an answer can be wrong. None quotes the answer.
var (
	errNotXML    = errors.New("the XML is broken, cut or not UTF-8")
	errForbidden = errors.New("the XML holds a document type or a processing instruction")
	errDeep      = errors.New("the XML is nested too deeply")
	errTrailing  = errors.New("there is more than one document")
	errShape     = errors.New("the envelope does not fit the protocol")
	errID        = errors.New("the message id is not the one sent")
	errOperation = errors.New("the body answers another operation")
	errFields    = errors.New("the response's fields do not fit")
)

const deepest = 32

// decodeSOAP reads an envelope strictly: one document without a document type,
// an id that is ours, one body element that answers the operation, one
// response in it. A SOAP fault is returned as its code, with no error.
func decodeSOAP(body []byte, want expected, out any) (fault string, err error) {
	if err := guardXML(body); err != nil {
		return "", err
	}
	envelope := envelope{}
	envelope.Body.Answer = answerElement{
		want: xml.Name{Space: want.namespace, Local: want.operation + "Response"}, out: out,
	}
	if err := xml.Unmarshal(body, &envelope); err != nil {
		return "", knownOr(err, errShape)
	}
	return envelope.verdict(want)
}

// envelope is the answer's SOAP envelope.
type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Header  struct {
		ID []string `xml:"http://x-road.eu/xsd/xroad.xsd id"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Header"`
	Body struct {
		// A fault's children carry no namespace in SOAP 1.1.
		Faults []struct {
			Code string `xml:"faultcode"`
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
		Answer answerElement `xml:",any"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

func (e *envelope) verdict(want expected) (fault string, err error) {
	switch {
	case len(e.Body.Faults)+e.Body.Answer.seen != 1:
		return "", errShape
	case len(e.Body.Faults) == 1:
		code := strings.TrimSpace(e.Body.Faults[0].Code)
		if code == "" {
			return "", errShape
		}
		// X-Road's own faults carry no header, so no id to compare.
		return code, nil
	case len(e.Header.ID) != 1 || strings.TrimSpace(e.Header.ID[0]) != want.id:
		return "", errID
	}
	return "", nil
}

// answerElement is the one element in the body: <operationResponse> with the
// request's echo and the <response>, whose fields go to out.
type answerElement struct {
	want xml.Name
	out  any
	seen int
}

// UnmarshalXML decodes the body's element.
func (a *answerElement) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if a.seen++; a.seen > 1 {
		return errShape
	}
	if start.Name != a.want {
		return errOperation
	}
	inner := struct {
		Response responseElement `xml:"response"`
	}{Response: responseElement{out: a.out}}
	if err := d.DecodeElement(&inner, &start); err != nil {
		return knownOr(err, errFields)
	}
	if inner.Response.seen != 1 {
		return errFields
	}
	return nil
}

// responseElement decodes <response> into what the caller gave.
type responseElement struct {
	out  any
	seen int
}

// UnmarshalXML decodes the response, once.
func (r *responseElement) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if r.seen++; r.seen > 1 {
		return errFields
	}
	return d.DecodeElement(r.out, &start)
}

// knownOr keeps an error of this file and hides any other, which may quote the
// answer.
func knownOr(err, otherwise error) error {
	for _, known := range []error{errShape, errOperation, errFields} {
		if errors.Is(err, known) {
			return known
		}
	}
	return otherwise
}

// guardXML walks the document once for what encoding/xml would let pass: a
// document type, a second document, endless depth.
func guardXML(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if roots != 1 {
				return errTrailing
			}
			return nil
		}
		if err != nil {
			return errNotXML
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(token)) > 0 {
				return errTrailing
			}
		case xml.Directive:
			return errForbidden
		case xml.ProcInst:
			if token.Target != "xml" {
				return errForbidden
			}
		}
		if depth > deepest {
			return errDeep
		}
	}
}
