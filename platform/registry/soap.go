package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// SOAP calls services by the X-Road SOAP message protocol 4.0.
type SOAP struct {
	cfg      Config
	client   ServiceID
	breakers *breakers
}

// NewSOAP makes the client. It fails on a base URL or a client id that cannot be.
func NewSOAP(cfg Config) (*SOAP, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	client, err := ParseService(cfg.Client)
	if err != nil {
		return nil, err
	}
	return &SOAP{cfg: cfg, client: client, breakers: newBreakers(cfg.OpenFor)}, nil
}

// Operation is one operation of a producer's WSDL.
type Operation struct {
	// Service holds the operation's name as its service code.
	Service ServiceID
	// Namespace is the producer's.
	Namespace string
	// Longest bounds its answer, in bytes; zero: 4 MiB.
	Longest int64
}

// Do calls an operation: in is marshalled as the fields of <request>, and the
// fields of the answer's <response> are decoded into out. Every error is a
// problem.Error around an *Error.
func (s *SOAP) Do(ctx context.Context, call Call, op Operation, in, out any) error {
	if err := call.check(); err != nil {
		return err
	}
	err := s.breakers.do(op.Service.String(), func() error { return s.send(ctx, call, op, in, out) })
	var failed *Error
	if errors.As(err, &failed) {
		return failed.asProblem()
	}
	return err
}

func (s *SOAP) send(ctx context.Context, call Call, op Operation, in, out any) error {
	id, service := s.cfg.NewID(), op.Service.String()
	envelope, err := s.envelope(call, id, op, in)
	if err != nil {
		return fmt.Errorf("encoding a request to %s: %w", service, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.BaseURL+"/", bytes.NewReader(envelope))
	if err != nil {
		return fmt.Errorf("building a request to %s: %w", service, err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `""`)
	held := hold(req, call.Leaving)
	got, err := exchange(ctx, s.cfg, service, req, cmp.Or(op.Longest, longestBody))
	left, refused := held.end()
	if refused != nil {
		return fmt.Errorf("before a request to %s left: %w", service, refused)
	}
	var failed *Error
	if errors.As(err, &failed) {
		failed.MayHaveActed = failed.MayHaveActed && left
	}
	if err != nil {
		return err
	}
	return readSOAP(got, op, id, out)
}

// The namespaces of the protocol. Source: X-Road message protocol 4.0.
const (
	nsSOAP       = "http://schemas.xmlsoap.org/soap/envelope/"
	nsXRoad      = "http://x-road.eu/xsd/xroad.xsd"
	nsIdentifier = "http://x-road.eu/xsd/identifiers"
)

// envelope writes the request. It is written by hand because encoding/xml puts
// no prefixes, which several producers insist on.
func (s *SOAP) envelope(call Call, id string, op Operation, in any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<soapenv:Envelope xmlns:soapenv="` + nsSOAP + `" xmlns:xrd="` + nsXRoad +
		`" xmlns:id="` + nsIdentifier + `"><soapenv:Header>`)
	writeIdentifier(&b, "client", "SUBSYSTEM", s.client)
	writeIdentifier(&b, "service", "SERVICE", op.Service)
	for _, h := range [][2]string{
		{"xrd:id", id}, {"xrd:userId", call.UserID}, {"xrd:issue", call.Issue}, {"xrd:protocolVersion", "4.0"},
	} {
		writeElement(&b, h[0], h[1])
	}
	b.WriteString(`</soapenv:Header><soapenv:Body><prod:` + op.Service.Service + ` xmlns:prod="`)
	escape(&b, op.Namespace)
	b.WriteString(`">`)
	if err := xml.NewEncoder(&b).EncodeElement(in, xml.StartElement{Name: xml.Name{Local: "request"}}); err != nil {
		return nil, err
	}
	b.WriteString(`</prod:` + op.Service.Service + `></soapenv:Body></soapenv:Envelope>`)
	return b.Bytes(), nil
}

func writeIdentifier(b *bytes.Buffer, name, kind string, id ServiceID) {
	b.WriteString(`<xrd:` + name + ` id:objectType="` + kind + `">`)
	for _, part := range [][2]string{
		{"id:xRoadInstance", id.Instance}, {"id:memberClass", id.Class}, {"id:memberCode", id.Member},
		{"id:subsystemCode", id.Subsystem}, {"id:serviceCode", id.Service}, {"id:serviceVersion", id.Version},
	} {
		if part[1] != "" {
			writeElement(b, part[0], part[1])
		}
	}
	b.WriteString(`</xrd:` + name + `>`)
}

func writeElement(b *bytes.Buffer, name, value string) {
	b.WriteString("<" + name + ">")
	escape(b, value)
	b.WriteString("</" + name + ">")
}

func escape(b *bytes.Buffer, text string) {
	// A bytes.Buffer takes every write.
	_ = xml.EscapeText(b, []byte(text))
}

// readSOAP checks an answer against the protocol and decodes it.
func readSOAP(got answer, op Operation, id string, out any) error {
	service := op.Service.String()
	if !strings.Contains(got.header.Get("Content-Type"), "xml") {
		if got.status >= 500 {
			return &Error{Service: service, Side: SideTheirs, Type: TypeStatus, Status: got.status, MayHaveActed: true}
		}
		return schemaError(service, got.status, "the answer is not XML")
	}
	fault, err := decodeSOAP(got.body, expected{id: id, namespace: op.Namespace, operation: op.Service.Service}, out)
	switch {
	case err != nil:
		return schemaError(service, got.status, err.Error())
	case fault != "":
		return xroadError(service, fault, got.status)
	case got.status != http.StatusOK:
		return schemaError(service, got.status, "an answer that is no fault came with an error status")
	}
	return nil
}
