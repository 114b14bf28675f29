package sandbox

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// soapRequest is an envelope as the security server reads it.
type soapRequest struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Header  struct {
		Client  xroadID `xml:"http://x-road.eu/xsd/xroad.xsd client"`
		Service xroadID `xml:"http://x-road.eu/xsd/xroad.xsd service"`
		ID      string  `xml:"http://x-road.eu/xsd/xroad.xsd id"`
		UserID  string  `xml:"http://x-road.eu/xsd/xroad.xsd userId"`
		Issue   string  `xml:"http://x-road.eu/xsd/xroad.xsd issue"`
		Version string  `xml:"http://x-road.eu/xsd/xroad.xsd protocolVersion"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Header"`
	Body struct {
		Operation soapOperation `xml:",any"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

type xroadID struct {
	Kind      string `xml:"http://x-road.eu/xsd/identifiers objectType,attr"`
	Instance  string `xml:"http://x-road.eu/xsd/identifiers xRoadInstance"`
	Class     string `xml:"http://x-road.eu/xsd/identifiers memberClass"`
	Member    string `xml:"http://x-road.eu/xsd/identifiers memberCode"`
	Subsystem string `xml:"http://x-road.eu/xsd/identifiers subsystemCode"`
	Service   string `xml:"http://x-road.eu/xsd/identifiers serviceCode"`
	Version   string `xml:"http://x-road.eu/xsd/identifiers serviceVersion"`
}

// soapOperation is the body's element; the fields are those of every operation.
type soapOperation struct {
	XMLName xml.Name
	Request struct {
		PIN          string `xml:"pin"`
		Plate        string `xml:"plate"`
		Number       string `xml:"protocolNumber"`
		Status       string `xml:"status"`
		Sum          string `xml:"sum"`
		Payment      string `xml:"paymentNumber"`
		Date         string `xml:"paymentDate"`
		ClientID     string `xml:"clientid"`
		Secret       string `xml:"secret"`
		Series       string `xml:"series"`
		Document     string `xml:"number"`
		Image        string `xml:"image"`
		Unique       string `xml:"uniqueNumber"`
		Protocol     string `xml:"protocol"`
		Delivery     string `xml:"deliveryStatus"`
		DeliveryDate string `xml:"deliveryDate"`
	} `xml:"request"`
}

// producerNamespace is that of all producers that the sandbox plays over SOAP.
const producerNamespace = "http://tunduk-seccurity-infocom.x-road.fi/producer"

// soapService is an operation of a simulated register: it answers the response's fields.
type soapService struct {
	system string
	answer func(soapOperation) []soapElement
}

// soapServices are the operations by subsystem and name.
func (w *World) soapServices() map[string]map[string]soapService {
	return map[string]map[string]soapService{
		"central-server/GOV/70000005/smartcity-service": {
			"getViolationsByPlate":     {SystemSafeCity, w.violationsByPlate},
			"smartcityGetViolations":   {SystemSafeCity, w.violationsOfOwner},
			"protocol":                 {SystemSafeCity, w.protocol},
			"protocolInfo":             {SystemSafeCity, w.protocolInfo},
			"setPaymentLegal":          {SystemSafeCity, w.setPaymentLegal},
			"subscribeViolations":      {SystemSafeCity, w.subscribe},
			"unsubscribeViolations":    {SystemSafeCity, w.unsubscribe},
			"resolutionDeliveryStatus": {SystemSafeCity, w.deliver},
		},
		"central-server/GOV/70000005/passport-service": {"bankPinService": {SystemPassport, w.bankPIN}},
		"central-server/GOV/70000005/zags-service": {
			"zagsDataByPin": {SystemCivil, w.civilStatus}, "zagsPinBirthAct": {SystemCivil, w.birthAct},
		},
		"central-server/GOV/70000005/vehicles-service": {"transportByPin": {SystemVehicles, w.transportByPin}},
	}
}

func (w *World) serveSOAP(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "SOAP is POSTed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, longestRequest))
	if err != nil {
		write(rw, soapFault("Client.InvalidRequest", "the body cannot be read"))
		return
	}
	var in soapRequest
	if err := xml.Unmarshal(body, &in); err != nil {
		write(rw, soapFault("Client.InvalidSoap", "the envelope does not fit"))
		return
	}
	operations := w.soapServices()[in.Header.Service.subsystem()]
	if fault := in.refusal(operations != nil); fault != nil {
		write(rw, *fault)
		return
	}
	operation, ok := operations[in.Header.Service.Service]
	if !ok {
		write(rw, soapFault("Server.ServerProxy.UnknownService", "Unknown service: "+in.Header.Service.Service))
		return
	}
	w.underFaults(rw, r, operation.system,
		func() reply { return in.answer(operation.answer(in.Body.Operation)) },
		func() reply {
			return soapFault("Server.ServerProxy.ServiceFailed.NetworkError", "the registry is out of reach")
		},
		func(got reply) []byte { return bytes.ReplaceAll(got.body, []byte("response>"), []byte("rezult>")) })
}

// subsystem is INSTANCE/CLASS/MEMBER/SUBSYSTEM.
func (id xroadID) subsystem() string {
	return strings.Join([]string{id.Instance, id.Class, id.Member, id.Subsystem}, "/")
}

// refusal is X-Road's fault for an envelope that lacks what the protocol asks, or that is
// for a member which is not known.
func (in *soapRequest) refusal(known bool) *reply {
	h := in.Header
	var fault reply
	switch {
	case h.ID == "" || h.Version != "4.0" || h.Client.Subsystem == "" || h.Client.Kind != "SUBSYSTEM" || h.Service.Kind != "SERVICE":
		fault = soapFault("Client.MissingHeader", "id, client, service and protocolVersion 4.0 are mandatory")
	case !known:
		fault = soapFault("Server.ServerProxy.UnknownMember", "Unknown service: "+h.Service.subsystem())
	case in.Body.Operation.XMLName.Local != h.Service.Service || in.Body.Operation.XMLName.Space != producerNamespace:
		fault = soapFault("Server.ServerProxy.InconsistentHeaders", "the body is not the service's operation")
	default:
		return nil
	}
	return &fault
}

// answer writes the envelope: the headers again, the request's echo and the
// response, in the qualified form that the real adapter uses.
func (in *soapRequest) answer(fields []soapElement) reply {
	h := in.Header
	var b bytes.Buffer
	b.WriteString(xml.Header + `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"` +
		` xmlns:id="http://x-road.eu/xsd/identifiers" xmlns:xrd="http://x-road.eu/xsd/xroad.xsd"><SOAP-ENV:Header>`)
	writeXRoadID(&b, "client", h.Client)
	writeXRoadID(&b, "service", h.Service)
	for _, e := range []soapElement{
		{name: "xrd:userId", text: h.UserID}, {name: "xrd:id", text: h.ID},
		{name: "xrd:issue", text: h.Issue}, {name: "xrd:protocolVersion", text: h.Version},
	} {
		e.write(&b, "")
	}
	name := "ts1:" + h.Service.Service + "Response"
	fmt.Fprintf(&b, `</SOAP-ENV:Header><SOAP-ENV:Body><%s xmlns:ts1="%s"><ts1:request>`, name, producerNamespace)
	for _, e := range in.echo() {
		e.write(&b, "ts1:")
	}
	b.WriteString(`</ts1:request><ts1:response>`)
	for _, e := range fields {
		e.write(&b, "ts1:")
	}
	fmt.Fprintf(&b, `</ts1:response></%s></SOAP-ENV:Body></SOAP-ENV:Envelope>`, name)
	return reply{status: http.StatusOK, header: map[string]string{"Content-Type": "text/xml; charset=utf-8"}, body: b.Bytes()}
}

// echo repeats the request's fields, as the real adapter does.
func (in *soapRequest) echo() []soapElement {
	q := in.Body.Operation.Request
	var echo []soapElement
	for _, e := range []soapElement{
		{name: "pin", text: q.PIN}, {name: "plate", text: q.Plate}, {name: "protocolNumber", text: q.Number},
		{name: "status", text: q.Status}, {name: "sum", text: q.Sum}, {name: "paymentNumber", text: q.Payment},
		{name: "paymentDate", text: q.Date}, {name: "clientid", text: q.ClientID}, {name: "series", text: q.Series},
		{name: "number", text: q.Document}, {name: "image", text: q.Image}, {name: "uniqueNumber", text: q.Unique},
		{name: "protocol", text: q.Protocol}, {name: "deliveryStatus", text: q.Delivery}, {name: "deliveryDate", text: q.DeliveryDate},
	} {
		if e.text != "" {
			echo = append(echo, e)
		}
	}
	return echo
}

// soapElement is an element with a text or with children.
type soapElement struct {
	name, text string
	children   []soapElement
}

func (e soapElement) write(b *bytes.Buffer, prefix string) {
	b.WriteString("<" + prefix + e.name + ">")
	for _, child := range e.children {
		child.write(b, prefix)
	}
	// A bytes.Buffer takes every write.
	_ = xml.EscapeText(b, []byte(e.text))
	b.WriteString("</" + prefix + e.name + ">")
}

func writeXRoadID(b *bytes.Buffer, name string, id xroadID) {
	fmt.Fprintf(b, `<xrd:%s id:objectType="%s">`, name, id.Kind)
	for _, e := range []soapElement{
		{name: "id:xRoadInstance", text: id.Instance}, {name: "id:memberClass", text: id.Class},
		{name: "id:memberCode", text: id.Member}, {name: "id:subsystemCode", text: id.Subsystem},
		{name: "id:serviceCode", text: id.Service}, {name: "id:serviceVersion", text: id.Version},
	} {
		if e.text != "" {
			e.write(b, "")
		}
	}
	b.WriteString("</xrd:" + name + ">")
}

// soapFault is X-Road's own fault: without a header, with status 500.
func soapFault(code, message string) reply {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">` +
		`<SOAP-ENV:Body><SOAP-ENV:Fault>`)
	soapElement{name: "faultcode", text: code}.write(&b, "")
	soapElement{name: "faultstring", text: message}.write(&b, "")
	b.WriteString(`</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>`)
	return reply{
		status: http.StatusInternalServerError, body: b.Bytes(),
		header: map[string]string{"Content-Type": "text/xml; charset=utf-8"},
	}
}
