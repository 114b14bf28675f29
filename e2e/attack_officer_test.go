package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// proposes has whoever the token is of propose an operation about a registration at the console,
// and gives the proposal's id.
func (d *door) proposes(token, operation, number string) string {
	d.t.Helper()
	status, out := d.acts(token, operation, map[string]any{"registration": number})
	if status != http.StatusOK || out.Outcome != "proposed" {
		d.t.Fatalf("%s proposed: %d %+v", operation, status, out)
	}
	return out.Proposal.ID
}

// restsOn is what a proposal rests on, as the console shows it to whoever the token is of.
func (d *door) restsOn(token, id string) string {
	d.t.Helper()
	var list struct {
		Proposals []struct {
			ID      string
			RestsOn string `json:"rests_on"`
		}
	}
	d.json(http.MethodPost, "/console/v1/operations/proposals", token, map[string]string{"reason": "case 14-2/77"}, &list)
	for _, p := range list.Proposals {
		if p.ID == id {
			return p.RestsOn
		}
	}
	d.t.Fatalf("%s is not shown among %+v", id, list)
	return ""
}

// stands wants a registration to be in a state, and its parent to be told of an end or not.
func (d *door) stands(number, state, told string) {
	d.t.Helper()
	if got := d.standing(number); got.State != state {
		d.t.Errorf("stands at %+v, want %s", got, state)
	}
	for _, m := range d.inbox(aigul) {
		if strings.Contains(m.Text, told) {
			d.t.Errorf("the parent is told %q", m.Text)
		}
	}
}

// TestAttackAnOfficerEndsAWaitingAlone: a clerk who ends a child's waiting needs another person,
// who reads what is ended; what happened meanwhile is not ended with it.
func TestAttackAnOfficerEndsAWaitingAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		parents := d.signIn(aigul)
		proveStrongly(t, d, parents)
		number := enrolled(t, d, parents, 0, "parent-12345")
		garden := d.standing(number).Places[0].Kindergarten
		d.sits("inspector") // for the command line first: a code is good once, and the console takes the next one
		clerk, inspector := d.console("clerk-bishkek"), d.console("inspector")
		id := d.proposes(clerk, "withdraw", number)
		if status, out := d.decides(clerk, id, "approval"); status != http.StatusForbidden || out.Code != "problem.staff_same" {
			t.Errorf("one's own: %d %+v", status, out)
		}
		if status, out := d.acts(inspector, "withdraw", map[string]any{"registration": number}); status != http.StatusForbidden || out.Code != "problem.staff_only_decides" {
			t.Errorf("by who decides: %d %+v", status, out)
		}
		d.stands(number, "waiting", "жокко чыгарылды")
		if shown := d.restsOn(inspector, id); !strings.Contains(shown, number+" is waiting") || !strings.Contains(shown, garden) || !strings.Contains(shown, "offered no place") {
			t.Errorf("the inspector is shown %q", shown)
		}
		d.offerTo(number)
		if status, out := d.decides(inspector, id, "approval"); status != http.StatusConflict || out.Code != "problem.staff_facts" {
			t.Errorf("after a place was offered: %d %+v", status, out)
		}
		d.stands(number, "offered", "жокко чыгарылды")
		if status := d.answer(number, parents, false, nil); status != http.StatusOK {
			t.Fatalf("declined: %d", status)
		}
		if status, out := d.decides(inspector, id, "approval"); status != http.StatusConflict || out.Code != "problem.staff_facts" {
			t.Errorf("after it was declined: %d %+v", status, out)
		}
		d.stands(number, "waiting", "жокко чыгарылды")
		if status, out := d.decides(inspector, d.proposes(clerk, "withdraw", number), "approval"); status != http.StatusOK || out.Outcome != "done" {
			t.Errorf("approved: %d %+v", status, out)
		}
		d.await(aigul, "жокко чыгарылды")
		d.stands(number, "left", "no such words")
		d.fsck()
	})
}

// TestAttackAnOfficerEndsAPlaceAlone: the clerk of the kindergarten who takes a child's place right
// after the parent accepted it needs another person, who reads when that was.
func TestAttackAnOfficerEndsAPlaceAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		parents := d.signIn(aigul)
		proveStrongly(t, d, parents)
		number := enrolled(t, d, parents, 0, "parent-12345")
		garden := d.standing(number).Places[0].Kindergarten
		d.offerTo(number)
		if status := d.answer(number, parents, true, nil); status != http.StatusOK {
			t.Fatalf("accepted: %d", status)
		}
		asked := []string{"staff", "take-back", "--registration", number}
		var ids []string
		for _, name := range []string{"kindergarten-" + strings.ToLower(garden), "operator"} {
			out, err := d.as(name, "", asked...)
			found := proposal.FindStringSubmatch(out)
			if err != nil || found == nil {
				t.Fatalf("proposed by %s: %v\n%s", name, err, out)
			}
			ids = append(ids, found[1])
			if out, err := d.as(name, "", "staff", "approve", found[1]); err == nil || !strings.Contains(out, "Who proposes does not decide") {
				t.Errorf("%s's own: %v\n%s", name, err, out)
			}
		}
		if out, err := d.as("inspector", "", asked...); err == nil {
			t.Errorf("by who decides: %s", out)
		}
		d.stands(number, "placed", "кайтарылды")
		for _, name := range []string{"inspector", "operator"} {
			out, err := d.as(name, "", "staff", "proposals")
			if err != nil || strings.Count(out, number+" is placed: ") != 2 || strings.Count(out, "("+garden+"), offered at ") != 2 || strings.Count(out, ", accepted at ") != 2 {
				t.Errorf("%s is shown %v\n%s", name, err, out)
			}
		}
		if out, err := d.as("operator", "", "staff", "withdraw", "--registration", number); err == nil || !strings.Contains(out, "problem.preschool_placed") {
			t.Errorf("a place withdrawn: %v\n%s", err, out)
		}
		if out, err := d.as("inspector", "", "staff", "approve", ids[0]); err != nil || !strings.Contains(out, "registration "+number) {
			t.Errorf("approved: %v\n%s", err, out)
		}
		d.stands(number, "left", "no such words")
		if out, err := d.as("inspector", "", "staff", "approve", ids[1]); err == nil || !strings.Contains(out, "problem.preschool_not_placed") {
			t.Errorf("approved once more: %v\n%s", err, out)
		}
		d.fsck()
	})
}
