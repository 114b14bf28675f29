package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// account gives what an account of the sandbox signs in with.
func (d *door) account(name string) officer {
	d.t.Helper()
	var list []officer
	if status := d.json(http.MethodGet, "/sandbox/staff", "", nil, &list); status != http.StatusOK {
		d.t.Fatalf("the accounts: %d", status)
	}
	return list[slices.IndexFunc(list, func(o officer) bool { return o.Name == name })]
}

// console signs an account of the sandbox in to the console, and gives its token. The code of
// now may be used already, by the command line: then it is the next one.
func (d *door) console(name string) string {
	d.t.Helper()
	o, status := d.account(name), 0
	for _, ahead := range []time.Duration{0, 30 * time.Second} {
		code, err := totp.GenerateCode(o.Secret, time.Now().Add(ahead))
		if err != nil {
			d.t.Fatal(err)
		}
		var begun struct{ Token string }
		status = d.json(http.MethodPost, "/console/v1/sessions", "", map[string]string{"name": o.Name, "password": o.Password, "code": code}, &begun)
		if status == http.StatusCreated && begun.Token != "" {
			return begun.Token
		}
	}
	d.t.Fatalf("%s signs in to the console: %d", name, status)
	return ""
}

// outcome is what came of an act, or the problem that refused it.
type outcome struct {
	Outcome  string
	Proposal struct{ ID string }
	Code     string // of an enrolment, or of a problem
}

// acts has whoever the token is of do an operation at the console, for a reason.
func (d *door) acts(token, operation string, given map[string]any) (int, outcome) {
	d.t.Helper()
	body := map[string]any{"reason": "case 14-2/77"}
	maps.Copy(body, given)
	var out outcome
	return d.json(http.MethodPost, "/console/v1/operations/"+operation, token, body, &out), out
}

// decides has whoever the token is of approve a proposal, or reject it.
func (d *door) decides(token, id, how string) (int, outcome) {
	d.t.Helper()
	var out outcome
	var raw []byte
	status := d.json(http.MethodPost, "/console/v1/proposals/"+id+"/"+how, token, map[string]string{"reason": "case 14-2/77"}, &raw)
	_ = json.Unmarshal(raw, &out) // a rejection answers nothing
	return status, out
}

// TestTwoOfficersAtTheConsole: a disputed phone is cleared by a clerk and the inspector, whose
// person is enrolled then; who may not, or is the same person, is refused, and nothing of it
// is done.
func TestTwoOfficersAtTheConsole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		const thief, owner = "+996555777001", aigul
		prove(t, d, d.signIn(owner))
		prove(t, d, d.signIn(thief))
		d.text(owner, undoWord.FindString(d.await(owner, "7001")), "24")
		clerk, inspector, operator := d.console("clerk-bishkek"), d.console("inspector"), d.console("operator")
		var list struct{ Disputes []struct{ Person string } }
		if status := d.json(http.MethodPost, "/console/v1/operations/disputes", clerk, map[string]string{"reason": "case 14-2/77"}, &list); status != http.StatusOK || len(list.Disputes) != 2 {
			t.Fatalf("the disputes: %d %+v", status, list)
		}
		seen := map[string]any{"phone": owner, "personal_number": "11503198800011"}
		for what, c := range map[string]struct {
			token  string
			given  map[string]any
			status int
			code   string
		}{
			"decides alone":    {inspector, seen, http.StatusForbidden, "problem.staff_only_decides"},
			"another's number": {clerk, map[string]any{"phone": owner, "personal_number": "22107197900022"}, http.StatusNotFound, "problem.identity_no_dispute"},
			"no dispute":       {clerk, map[string]any{"phone": bakyt, "personal_number": "11503198800011"}, http.StatusNotFound, "problem.identity_no_dispute"},
			"no phone":         {clerk, map[string]any{"phone": "0555", "personal_number": "11503198800011"}, http.StatusBadRequest, "problem.staff_phone"},
			"a person named":   {clerk, map[string]any{"phone": owner, "personal_number": "11503198800011", "reason": "11503198800011"}, http.StatusBadRequest, "problem.staff_reason"},
			"nobody":           {"", seen, http.StatusUnauthorized, "problem.staff_session"},
		} {
			if status, out := d.acts(c.token, "unblock", c.given); status != c.status || out.Code != c.code {
				t.Errorf("%s: %d %+v", what, status, out)
			}
		}
		status, out := d.acts(clerk, "unblock", seen)
		if status != http.StatusOK || out.Outcome != "proposed" {
			t.Fatalf("proposed: %d %+v", status, out)
		}
		if status, out := d.decides(clerk, out.Proposal.ID, "approval"); status != http.StatusForbidden || out.Code != "problem.staff_same" {
			t.Errorf("one's own: %d %+v", status, out)
		}
		foreign, absent := d.console("administrator"), "aaaaaaaa"
		_, theirs := d.decides(foreign, out.Proposal.ID, "approval")
		if status, none := d.decides(foreign, absent, "approval"); status != http.StatusNotFound || none != theirs {
			t.Errorf("nobody's is %+v, an absent one %d %+v", theirs, status, none)
		}
		if status, done := d.decides(inspector, out.Proposal.ID, "approval"); status != http.StatusOK || done.Outcome != "done" {
			t.Fatalf("approved: %d %+v", status, done)
		}
		if status, again := d.decides(operator, out.Proposal.ID, "approval"); status != http.StatusConflict || again.Code != "problem.staff_decided" {
			t.Errorf("approved twice: %d %+v", status, again)
		}
		d.await(owner, "кайра кире")
		enrolsAtTheConsole(t, d, clerk, operator)
		d.fsck()
	})
}

// settles has two officers end the doubt of a payment's first line at the console: who proposes
// it does not decide, and what is settled is in doubt no more.
func (d *door) settles(payment, how string) {
	d.t.Helper()
	operator, inspector := d.console("operator"), d.console("inspector")
	var list struct {
		Lines []struct {
			Payment string
			Line    int64
		}
	}
	if status := d.json(http.MethodPost, "/console/v1/operations/suspense", operator, map[string]string{"reason": "case 14-2/77"}, &list); status != http.StatusOK || len(list.Lines) != 1 {
		d.t.Fatalf("in doubt: %d %+v", status, list)
	}
	given := map[string]any{"payment": payment, "line": list.Lines[0].Line, "outcome": how, "reference": "14-2/77"}
	status, out := d.acts(operator, "decide", given)
	if status != http.StatusOK || out.Outcome != "proposed" || list.Lines[0].Payment != payment {
		d.t.Fatalf("proposed: %d %+v of %+v", status, out, list)
	}
	if status, out := d.decides(operator, out.Proposal.ID, "approval"); status != http.StatusForbidden || out.Code != "problem.staff_same" {
		d.t.Errorf("one's own: %d %+v", status, out)
	}
	if status, done := d.decides(inspector, out.Proposal.ID, "approval"); status != http.StatusOK || done.Outcome != "done" {
		d.t.Fatalf("approved: %d %+v", status, done)
	}
	if status, out := d.acts(operator, "decide", given); status != http.StatusNotFound || out.Code != "problem.payment_no_doubt" {
		d.t.Errorf("decided again: %d %+v", status, out)
	}
}

// enrolsAtTheConsole has a clerk enrol Бакыт on a phone, on which he proves who he is by the code.
func enrolsAtTheConsole(t *testing.T, d *door, clerk, operator string) {
	t.Helper()
	const phone = "+996555777009"
	card := func(pin, document string) map[string]any {
		return map[string]any{"phone": phone, "personal_number": pin, "document_number": document}
	}
	seen := card("22107197900022", "ID1000002")
	if status, out := d.acts(operator, "enrol", seen); status != http.StatusForbidden || out.Code != "problem.staff_role" {
		t.Errorf("by an operator: %d %+v", status, out)
	}
	if status, out := d.acts(clerk, "enrol", card("22107197900022", "ID1000001")); status != http.StatusNotFound || out.Code != "problem.identity_enrol_no_match" {
		t.Errorf("another's document: %d %+v", status, out)
	}
	if status, out := d.acts(clerk, "enrol", card("11503198800011", "ID1000001")); status != http.StatusConflict || out.Code != "problem.identity_enrol_disputed" {
		t.Errorf("whose other phone is in dispute still: %d %+v", status, out)
	}
	status, made := d.acts(clerk, "enrol", seen)
	if status != http.StatusOK || len(made.Code) != 8 {
		t.Fatalf("enrolled: %d %+v", status, made)
	}
	if status := d.json(http.MethodPost, "/v1/proofs/enrolment", d.signIn(phone), map[string]string{"code": made.Code}, nil); status/100 != 2 {
		t.Errorf("proved by the code: %d", status)
	}
}
