package e2e

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lent is Айгүл's number, used by Гүлнара: she is proved weakly there, and no more.
const lent = "+996555000004"

// cells is a row of the published matrix: a request, and what each column gets.
type cells struct {
	method, path string
	gets         map[string]string // by the column's name
}

var (
	aRequest  = regexp.MustCompile("`([A-Z]+) (/[^`]*)`")
	parameter = regexp.MustCompile(`\{\w+\}`)
)

// matrix reads a table of docs/guides/access.md by its title. Whatever ends a session comes
// last.
func matrix(t *testing.T, title string) (rows []cells) {
	t.Helper()
	text, err := os.ReadFile("../docs/guides/access.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## "+title+"\n\n")
	if !found {
		t.Fatalf("there is no table of %s", title)
	}
	table, _, _ := strings.Cut(after, "\n\n")
	var names []string
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		words := strings.Split(strings.Trim(line, "| "), " | ")
		if i == 0 {
			names = words
		}
		request := aRequest.FindStringSubmatch(line)
		if request == nil {
			continue
		}
		row := cells{request[1], request[2], map[string]string{}}
		for n := 2; n < len(words); n++ {
			row.gets[names[n]] = words[n]
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b cells) int { return strings.Compare(a.ends(), b.ends()) })
	return rows
}

func (c cells) ends() string {
	if c.method == http.MethodDelete && (c.path == "/v1/tokens" || c.path == "/console/v1/session") {
		return "last"
	}
	return ""
}

// try asks for an operation without anything that it needs, and holds the answer against
// the cell: who may gets to what is wrong with the request, who may not does not.
func (c cells) try(d *door, column, token string) {
	d.t.Helper()
	var body []byte
	status := d.json(c.method, parameter.ReplaceAllString(c.path, "00000000-0000-7000-8000-000000000000"), token, nil, &body)
	refused := status == http.StatusUnauthorized || status == http.StatusForbidden
	want := c.gets[column]
	switch {
	case want == "yes":
		if refused || status == http.StatusMethodNotAllowed || status >= http.StatusInternalServerError {
			d.t.Errorf("%s %s by %s is not let in: %d %s", c.method, c.path, column, status, body)
		}
	case strconv.Itoa(status) != want:
		d.t.Errorf("%s %s by %s: %d, want %s: %s", c.method, c.path, column, status, want, body)
	case strings.Contains(string(body), `"errors"`): // of what is asked it says nothing
		d.t.Errorf("%s %s by %s tells what is wrong with the request: %s", c.method, c.path, column, body)
	}
}

// proved signs a phone in and proves somebody on it.
func (d *door) proved(phone, pin, document string) string {
	d.t.Helper()
	token := d.signIn(phone)
	if status := d.json(http.MethodPost, "/v1/proofs", token, map[string]string{"personal_number": pin, "document_number": document}, nil); status/100 != 2 {
		d.t.Fatalf("proofs: %d", status)
	}
	return token
}

// TestEveryCellOfAccess tries every operation of every contract as everybody who may come,
// and gets what docs/guides/access.md says.
func TestEveryCellOfAccess(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	secret := d.clientSecret()
	read := d.partnerToken("demo-wallet", secret, "payments.read")
	phone := d.signIn("+996555000055")
	// An hour's questions of whether one phone is the weakly proved person's are fewer than the
	// operations that ask.
	const weakly = "a person, weakly (2)"
	weak := []string{
		d.proved(lent, "10305195900044", "ID1000004"), d.proved("+996770000003", "10305195900044", "ID1000004"), d.proved("+996700000002", "10305195900044", "ID1000004"),
		d.proved("+996700000005", "10305195900044", "ID1000004"),
	}
	tried, asked := 0, 0
	for title, tokens := range map[string]map[string]string{
		"Citizens' apps": {
			"no token": "", "a partner's token": read, "a phone (1)": phone,
			weakly:                   weak[0],
			"a person, strongly (3)": d.proved(aigul, "11503198800011", "ID1000001"),
		},
		"Payment partners": {
			"no token": "", "a citizen's token": d.signIn("+996555000056"), "`payments.read`": read,
			"`payments.check`":  d.partnerToken("demo-wallet", secret, "payments.check"),
			"`payments.pay`":    d.partnerToken("demo-wallet", secret, "payments.pay"),
			"`payments.quote`":  d.partnerToken("demo-wallet", secret, "payments.quote"),
			"`events.read`":     d.partnerToken("demo-wallet", secret, "events.read"),
			"`webhooks.manage`": d.partnerToken("demo-wallet", secret, "webhooks.manage"),
		},
		"The console of staff": {
			"no token": "", "a citizen's token": d.signIn("+996555000057"), "a partner's token": read,
			"operator": d.console("operator"), "clerk of a centre": d.console("clerk-bishkek"), "clerk of a kindergarten": d.console("kindergarten-k001"),
			"inspector": d.console("inspector"), "administrator": d.console("administrator"),
		},
	} {
		for _, row := range matrix(t, title) {
			if len(row.gets) != len(tokens) {
				t.Fatalf("%s has the columns %v", title, row.gets)
			}
			for column, token := range tokens {
				if column == weakly {
					token = weak[asked%len(weak)]
					asked++
				}
				row.try(d, column, token)
				tried++
			}
		}
	}
	if tried < 350 {
		t.Errorf("only %d cells were tried", tried)
	}
}
