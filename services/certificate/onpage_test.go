package certificate_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// devices are both that check without network: this program, and the page of verification in a
// browser, which has to come to the same.
type devices struct {
	t     *testing.T
	h     *world
	asked []question
	want  []verdict
}

type question struct {
	Trust string  `json:"trust"`
	Code  string  `json:"code"`
	At    float64 `json:"at"`
}

// verdict is what a device says of a code.
type verdict struct {
	Outcome string         `json:"outcome"`
	Words   []printedWords `json:"words"`
}

type printedWords struct {
	Title string      `json:"title"`
	Lines [][2]string `json:"lines"`
}

// bundle is what is published now.
func bundle(t *testing.T, h *world) string {
	t.Helper()
	return must[string](t)(h.Trust(t.Context()))
}

// check gives what this program says, and keeps the question for agree.
func (d *devices) check(bundle, code string, at time.Time) certificate.Checked {
	d.t.Helper()
	d.asked = append(d.asked, question{Trust: bundle, Code: code, At: float64(at.UnixMilli()) / 1000})
	trust, err := certificate.ReadTrust(bundle)
	if errors.Is(err, certificate.ErrTrust) {
		d.want = append(d.want, verdict{Outcome: "no trust"})
		return certificate.Checked{}
	}
	d.h.OK(err)
	got := must[certificate.Checked](d.t)(certificate.CheckCode(d.h.Texts, trust, code, at))
	said := verdict{Outcome: string(got.Outcome)}
	for _, words := range got.Words {
		text := printedWords{Title: words.Title}
		for _, line := range words.Lines {
			text.Lines = append(text.Lines, [2]string{line.Label, line.Value})
		}
		said.Words = append(said.Words, text)
	}
	d.want = append(d.want, said)
	return got
}

// agree fails where the page says something else of what was asked.
func (d *devices) agree() {
	d.t.Helper()
	lines := node(d.t, "page.js", map[string]any{"page": d.h.OnPage(locales.KY), "asked": d.asked})
	if len(lines) != len(d.asked) {
		d.t.Fatalf("%d answers to %d questions", len(lines), len(d.asked))
	}
	for i, line := range lines {
		var got verdict
		d.h.OK(json.Unmarshal([]byte(line), &got))
		if !reflect.DeepEqual(got, d.want[i]) {
			d.t.Errorf("the page says of %.60q\n%+v, not\n%+v", d.asked[i].Code, got, d.want[i])
		}
	}
}

// TestThePageSaysTheSame: of every kind of certificate, of records of all shapes, and of one with
// each byte of it changed.
func TestThePageSaysTheSame(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	d := &devices{t: t, h: h}
	var codes []string
	for _, kind := range certificate.Kinds() {
		codes = append(codes, certificate.Payload(t, h.Service, request(t, h, "t"+string(kind), kind).Number))
	}
	family := func(members ...certificate.Member) certificate.Record {
		return certificate.Record{Kind: certificate.Family, Holder: certificate.Person{Name: "Асанова Айгүл"}, Members: members}
	}
	at := func(address string, edition int) certificate.Record {
		return certificate.Record{Kind: certificate.Residential, Holder: certificate.Person{Name: `О’Коннор "Ө" <b>`, Born: "1988-02-30"}, Address: address, Places: edition}
	}
	for _, record := range []certificate.Record{
		family(), family(largeFamily()[:3]...), family(certificate.Member{Person: certificate.Person{Name: "А", Born: "белгисиз"}, Relation: "кайненеси"}),
		{Kind: certificate.Family, Count: 12, Digest: make([]byte, 32)},
		at("", 0), at("Чүй, Сокулук району, Шопоков, Достук көчөсү 12", 0), at("Чүй, Сокулук району, Шопоков, Достук көчөсү 12", 1),
		at("Ысык-Көл облусу, Ак-Суу району", 1), at("Ош, Сокулук району, Ош", 1), at("Чүй", 1), at("Чүй, Ак-Суу району", 9), at("Чүй облусу, ", 1),
	} {
		content := must[[]byte](t)(cbor.Marshal(record))
		codes = append(codes, code(t, h, func(c *sign.Claims) { c.Content = content }))
	}
	for _, content := range []any{nil, 7, "x", []int{1}, map[int]any{}, map[int]any{1: 7}, map[int]any{1: "family", 2: 7}, map[int]any{1: "family", 4: 7}, map[int]any{1: "family", 3: 7}, map[string]int{"kind": 1}} {
		bytes := must[[]byte](t)(cbor.Marshal(content))
		codes = append(codes, code(t, h, func(c *sign.Claims) { c.Content = bytes }))
	}
	raw := must[[]byte](t)(certificate.Unpack(codes[0]))
	for i := range raw {
		for _, flip := range []byte{1, 0x20, 0x80} {
			changed := append([]byte(nil), raw...)
			changed[i] ^= flip
			codes = append(codes, h.VerifyURL+"#"+sign.EncodeDecimal(changed))
		}
		codes = append(codes, "ESHIK1:"+sign.EncodeBase45(raw[:i]))
	}
	for _, code := range codes {
		d.check(bundle(t, h), code, h.Clock.Now())
	}
	d.agree()
}
