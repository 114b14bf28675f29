package registry

import (
	"errors"
	"strings"
	"testing"
)

// whole is an answer that fits; the tests spoil it.
const whole = `<?xml version="1.0" encoding="UTF-8"?>
<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xrd="http://x-road.eu/xsd/xroad.xsd">
<S:Header><xrd:id>id-1</xrd:id></S:Header>
<S:Body><p:askResponse xmlns:p="urn:p"><p:request/><p:response><p:code>200</p:code></p:response></p:askResponse></S:Body>
</S:Envelope>`

// fault is X-Road's own fault, which has no header.
const fault = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault>
<faultcode>Server.ServerProxy.NetworkError</faultcode><faultstring>x</faultstring></S:Fault></S:Body></S:Envelope>`

type response struct {
	Code int `xml:"code"`
}

var want = expected{id: "id-1", namespace: "urn:p", operation: "ask"}

func TestDecodeSOAP(t *testing.T) {
	t.Parallel()
	var out response
	if code, err := decodeSOAP([]byte(whole), want, &out); err != nil || code != "" || out.Code != 200 {
		t.Errorf("%q, %v, %+v", code, err, out)
	}
	// The producers' schemas differ in whether children are qualified.
	out = response{}
	plain := strings.ReplaceAll(whole, "p:re", "re")
	if _, err := decodeSOAP([]byte(strings.ReplaceAll(plain, "p:code", "code")), want, &out); err != nil || out.Code != 200 {
		t.Errorf("unqualified: %v, %+v", err, out)
	}
	if code, err := decodeSOAP([]byte(fault), want, &out); err != nil || code != "Server.ServerProxy.NetworkError" {
		t.Errorf("fault: %q, %v", code, err)
	}
}

func TestDecodeSOAPIsStrict(t *testing.T) {
	t.Parallel()
	spoilt := func(old, replacement string) string { return strings.Replace(whole, old, replacement, 1) }
	body := whole[strings.Index(whole, "<p:ask"):strings.Index(whole, "</S:Body>")]
	inner := body[strings.Index(body, "<p:response>"):strings.Index(body, "</p:ask")]
	cases := []struct {
		name, xml string
		want      error
	}{
		{"empty", "", errTrailing},
		{"cut", whole[:len(whole)/2], errNotXML},
		{"document type", spoilt("<S:Env", `<!DOCTYPE x [<!ENTITY e "e">]><S:Env`), errForbidden},
		{"entity", spoilt("200", "&e;"), errNotXML},
		{"processing instruction", spoilt("<S:Env", `<?php x?><S:Env`), errForbidden},
		{"second document", whole + "<x/>", errTrailing},
		{"text after", whole + "x", errTrailing},
		{"other charset", spoilt("UTF-8", "windows-1251"), errNotXML},
		{"deep", spoilt("200", strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)), errDeep},
		{"other envelope", strings.ReplaceAll(whole, "schemas.xmlsoap.org/soap", "www.w3.org/2003/05/soap"), errShape},
		{"another id", spoilt("id-1", "id-2"), errID},
		{"no id", spoilt("<xrd:id>id-1</xrd:id>", ""), errID},
		{"two ids", spoilt("<xrd:id>", "<xrd:id>id-1</xrd:id><xrd:id>"), errID},
		{"other operation", strings.ReplaceAll(whole, "askResponse", "otherResponse"), errOperation},
		{"other namespace", spoilt("urn:p", "urn:q"), errOperation},
		{"two answers", spoilt(body, body+body), errShape},
		{"answer and fault", spoilt(body, body+"<S:Fault><faultcode>x</faultcode></S:Fault>"), errShape},
		{"empty body", spoilt(body, ""), errShape},
		{"no response", spoilt(inner, ""), errFields},
		{"two responses", spoilt(inner, inner+inner), errFields},
		{"letters for a number", spoilt("200", "OK"), errFields},
		{"fault without a code", strings.Replace(fault, "Server.ServerProxy.NetworkError", " ", 1), errShape},
	}
	for _, c := range cases {
		var out response
		if _, err := decodeSOAP([]byte(c.xml), want, &out); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestSideOf(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]Side{
		"Client.UnknownService":                  SideOurs,
		"server.clientproxy.network_error":       SideOurs,
		"Server.ServerProxy.NetworkError":        SideTheirs,
		"server.serverproxy.network_error":       SideTheirs,
		"server.server_proxy.service_failed":     SideTheirs,
		"soapenv:Server":                         SideRegistry,
		"SOAP-ENV:Client":                        SideRegistry,
		"Server":                                 SideRegistry,
		"Something else that nobody wrote about": SideRegistry,
	} {
		if got := sideOf(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func FuzzDecodeSOAP(f *testing.F) {
	for _, seed := range []string{whole, fault, "", "<a>", whole + whole, `<!DOCTYPE a>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var out response
		code, err := decodeSOAP(body, want, &out)
		if err == nil && code == "" && !strings.Contains(string(body), "Response") {
			t.Errorf("%q was taken for an answer", body)
		}
		if err != nil {
			for _, known := range []error{errNotXML, errForbidden, errDeep, errTrailing, errShape, errID, errOperation, errFields} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Errorf("an error that may quote the answer: %v", err)
		}
	})
}
