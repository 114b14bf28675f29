package registry_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/sandbox"
)

const pinUnknown = "12912199900099"

func TestAimak(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	aimak, err := registry.NewAimak(newREST(t, config(b.url)), "")
	if err != nil {
		t.Fatal(err)
	}
	address, found, err := aimak.AddressFact(t.Context(), call, pinAigul)
	if err != nil || !found || address.Name != "Айгүл" || address.Locality != "Бишкек" {
		t.Errorf("address %+v, %v, %v", address, found, err)
	}
	family, found, err := aimak.Family(t.Context(), call, pinAigul)
	if err != nil || !found || len(family) != 2 || family[1].PIN != "10905202300044" ||
		family[1].Relation != "child" || family[1].BirthDate.Format("02.01.2006") != "09.05.2023" {
		t.Errorf("family %+v, %v, %v", family, found, err)
	}
	if family, found, err := aimak.Family(t.Context(), call, "10112199200033"); err != nil || !found || len(family) != 0 {
		t.Errorf("alone: %+v, %v, %v", family, found, err)
	}
	if _, found, err := aimak.AddressFact(t.Context(), call, pinUnknown); err != nil || found {
		t.Errorf("unknown: %v, %v", found, err)
	}
	if _, found, err := aimak.Family(t.Context(), call, pinUnknown); err != nil || found {
		t.Errorf("unknown: %v, %v", found, err)
	}
	set(t, b, sandbox.SystemAimak, sandbox.Fault{WrongSchema: true})
	_, _, err = aimak.AddressFact(t.Context(), call, pinAigul)
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
	_, _, err = aimak.Family(t.Context(), call, pinAigul)
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
}

// newPersons is a client of the sandbox's registers with that secret.
func newPersons(t *testing.T, b *box, secret string) *registry.Persons {
	t.Helper()
	soap, err := registry.NewSOAP(config(b.url))
	if err != nil {
		t.Fatal(err)
	}
	persons, err := registry.NewPersons(soap, registry.PersonsConfig{ClientID: sandbox.PassportClient, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return persons
}

func TestCheckPerson(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	persons := newPersons(t, b, sandbox.PassportSecret)
	person, err := persons.CheckPerson(t.Context(), call, pinAigul, "ID1000001")
	if err != nil || person.Surname != "Асанова" || person.BirthDate.Format(time.DateOnly) != "1988-03-15" ||
		person.Void || person.Barred || person.Expires.Before(time.Now()) {
		t.Errorf("person %+v, %v", person, err)
	}
	unknown := problem.New(problem.Invalid, "problem.registry_person_unknown")
	for pin, document := range map[string]string{pinAigul: "ID1000002", pinUnknown: "ID1000001", "10112199200033": "ID"} {
		if _, err := persons.CheckPerson(t.Context(), call, pin, document); !errors.Is(err, unknown) {
			t.Errorf("error %v", err)
		}
	}
	set(t, b, sandbox.SystemCivil, sandbox.Fault{WrongSchema: true})
	_, err = persons.CheckPerson(t.Context(), call, pinAigul, "ID1000001")
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
	set(t, b, sandbox.SystemPassport, sandbox.Fault{CutBody: true})
	_, err = persons.CheckPerson(t.Context(), call, pinAigul, "ID1000001")
	mustFail(t, err, "problem.registry_down", registry.SideNetwork)
}

// A wrong secret is our fault and no verdict about the person.
func TestCheckPersonWithAWrongSecret(t *testing.T) {
	t.Parallel()
	_, err := newPersons(t, newBox(t), "wrong").CheckPerson(t.Context(), call, pinAigul, "ID1000001")
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
}

// The last of the sandbox's generated people have something wrong with their papers.
func TestCheckPersonTellsOfPapers(t *testing.T) {
	t.Parallel()
	persons := newPersons(t, newBox(t), sandbox.PassportSecret)
	for _, want := range sandbox.Flawed() {
		got, err := persons.CheckPerson(t.Context(), call, want.PIN, want.Document)
		if err != nil || got.Expires.Before(time.Now()) != want.Expired || got.Void != want.Void || got.Barred != want.Barred {
			t.Errorf("%+v: %+v, %v", want, got, err)
		}
	}
}

// A death and a blocked number are told apart: the last two of them.
func TestADeathIsNoBlockedNumber(t *testing.T) {
	t.Parallel()
	persons := newPersons(t, newBox(t), sandbox.PassportSecret)
	flawed := sandbox.Flawed()
	for i, p := range flawed[len(flawed)-2:] {
		died, blocked, err := persons.Barred(t.Context(), call, p.PIN)
		if err != nil || died != (i == 0) || blocked != (i == 1) {
			t.Errorf("%d: died %v, blocked %v, %v", i, died, blocked, err)
		}
	}
}

// TestSomebodyOfOneName: who has no family name is barred or not like anybody else, while who they
// are is not made up; of an answer that says nothing of a block nobody is taken for free.
func TestSomebodyOfOneName(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	at, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	leaves := "surname"
	without := httputil.NewSingleHostReverseProxy(at)
	without.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		body = regexp.MustCompile(`<(\w+:)?`+leaves+`>[^<]*</(\w+:)?`+leaves+`>`).ReplaceAll(body, nil)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	server := httptest.NewServer(without)
	t.Cleanup(server.Close)
	persons := newPersons(t, &box{url: server.URL}, sandbox.PassportSecret)
	if died, blocked, err := persons.Barred(t.Context(), call, pinAigul); died || blocked || err != nil {
		t.Errorf("without a family name: died %v, blocked %v, %v", died, blocked, err)
	}
	_, _, err = persons.Civil(t.Context(), call, pinAigul)
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
	leaves = "pinBlocked"
	_, _, err = persons.Barred(t.Context(), call, pinAigul)
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
}

func TestKindergartens(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	kindergartens, err := registry.NewKindergartens(newREST(t, config(b.url)), "")
	if err != nil {
		t.Fatal(err)
	}
	for district, want := range map[string]int{"41711201000000": 10, "41711204000000": 10, "41721000000000": 8, "1": 0} {
		list, err := kindergartens.List(t.Context(), call, district)
		if err != nil || len(list) != want {
			t.Errorf("district %s: %d, %v; want %d", district, len(list), err, want)
		}
	}
	set(t, b, sandbox.SystemKindergarten, sandbox.Fault{WrongSchema: true})
	_, err = kindergartens.List(t.Context(), call, "41711201000000")
	mustFail(t, err, "problem.registry_answer", registry.SideRegistry)
}

func TestSIMs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	sims, err := registry.NewSIMs(newREST(t, config(b.url)), sandbox.SIMService)
	if err != nil {
		t.Fatal(err)
	}
	const long, hour = 300 * 24 * time.Hour, time.Hour
	for name, want := range map[string]struct {
		phone, pin string
		held       bool
		at         time.Duration // how long the number has had its SIM card, at least
	}{
		"their own":         {"+996555000001", pinAigul, true, long},
		"somebody else's":   {"+996700000002", pinAigul, false, long},
		"a family's":        {"+996555000004", pinAigul, true, long},
		"a family's, used":  {"+996555000004", "10305195900044", false, long},
		"a new card":        {"+996700000005", pinAigul, true, hour},
		"a generated phone": {"+996555123456", pinAigul, true, long},
	} {
		got, found, err := sims.Holder(t.Context(), call, want.phone, want.pin)
		if age := time.Since(got.ChangedAt); err != nil || !found || got.Held != want.held || age < want.at || age > want.at+200*24*time.Hour {
			t.Errorf("%s: %+v, %v, %v", name, got, found, err)
		}
	}
	if _, found, err := sims.Holder(t.Context(), call, "+77010000000", pinAigul); found || err != nil {
		t.Errorf("another country's: %v, %v", found, err)
	}
	for fault, key := range map[sandbox.Fault]string{{WrongSchema: true}: "problem.registry_answer", {Outage: true}: "problem.registry_down"} {
		set(t, b, sandbox.SystemSIM, fault)
		if _, _, err := sims.Holder(t.Context(), call, "+996555000001", pinAigul); problem.From(err).Key != key {
			t.Errorf("%+v: %v", fault, err)
		}
	}
}
