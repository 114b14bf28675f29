package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// enrolled registers Айгүл's child in the first kindergarten of a district and gives the
// registration's number.
func enrolled(t *testing.T, d *door, token string, district int, key string) string {
	t.Helper()
	var children []struct{ Ref string }
	d.json(http.MethodGet, "/v1/preschool/children", token, nil, &children)
	var districts []struct{ Code, Name string }
	d.json(http.MethodGet, "/v1/preschool/districts", "", nil, &districts)
	var gardens []struct{ ID, District string }
	d.json(http.MethodGet, "/v1/preschool/kindergartens?district="+districts[district].Code, "", nil, &gardens)
	if gardens[0].District != districts[district].Name {
		t.Errorf("a kindergarten of %s is of %q", districts[district].Name, gardens[0].District)
	}
	var made struct{ Number string }
	in := map[string]any{"child": children[0].Ref, "kindergartens": []string{gardens[0].ID}}
	status := d.json(http.MethodPost, "/v1/preschool/registrations", token, in, &made, "Idempotency-Key", key)
	if status != http.StatusCreated {
		t.Fatalf("registrations: %d", status)
	}
	return made.Number
}

// standing is where a registration stands, and offerTo has an officer offer its place.
func (d *door) standing(number string) (p struct {
	State  string
	Places []struct{ Kindergarten, District string }
}) {
	d.t.Helper()
	d.json(http.MethodGet, "/v1/preschool/registrations/"+number, "", nil, &p)
	return p
}

func (d *door) offerTo(number string) {
	d.t.Helper()
	place := d.standing(number).Places[0]
	if place.District == "" {
		d.t.Error("a place has no district")
	}
	d.offers("--registration", number, "--kindergarten", place.Kindergarten)
}

// silent wants no message of a place to have reached a phone.
func (d *door) silent(phone string) {
	d.t.Helper()
	for _, m := range d.inbox(phone) {
		if strings.Contains(m.Text, "орун") || strings.Contains(m.Text, "Орун") {
			d.t.Errorf("the phone that was undone is told %q", m.Text)
		}
	}
}

// TestAttackAThiefRegistersTheChild: a stranger who proved as the parent registers the
// child far away; the parent's word has the offer come to the parent only, and an officer
// ends the registration without costing the child its place.
func TestAttackAThiefRegistersTheChild(t *testing.T) {
	t.Parallel()
	const thief, parent = "+996555777001", aigul
	d := embedded(t)
	thiefs := d.signIn(thief)
	prove(t, d, thiefs)
	number := enrolled(t, d, thiefs, 4, "thief-12345")
	parents := d.signIn(parent)
	proveStrongly(t, d, parents)
	d.text(parent, undoWord.FindString(d.await(parent, "7001")), "24")
	d.await(thief, "оператор")
	d.offerTo(number)
	d.await(parent, "Орун")
	d.silent(thief)

	d.unblock(parent)
	parents = d.signIn(parent)
	prove(t, d, parents)
	var p fault
	in := map[string]any{"child": childOf(t, d, parents), "kindergartens": []string{d.standing(number).Places[0].Kindergarten}}
	status := d.json(http.MethodPost, "/v1/preschool/registrations", parents, in, &p, "Idempotency-Key", "parent-12345")
	if status != http.StatusConflict || p.Code != "problem.preschool_registered" || !strings.Contains(p.Detail, number) || strings.Contains(p.Detail, "7001") {
		t.Errorf("registered beside it: %d %+v", status, p)
	}
	d.both("operator", "", "staff", "withdraw", "--registration", number, "--reason", "a stranger made it", "--undone")
	d.await(parent, "жокко чыгарылды")
	if got := d.standing(number); got.State != "left" || len(got.Places) != 0 {
		t.Errorf("stands at %+v", got)
	}
	again := enrolled(t, d, parents, 0, "parent-12346")
	if out, err := d.run("fsck"); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
	d.offerTo(again)
	if status := d.answer(again, parents, true, nil); status != http.StatusOK {
		t.Errorf("accepted: %d", status)
	}
	d.both("operator", "", "staff", "take-back", "--registration", again)
	status = d.answer(again, parents, true, &p)
	if status != http.StatusConflict || p.Code != "problem.preschool_left" {
		t.Errorf("accepted after it was given back: %d %+v", status, p)
	}
	d.silent(thief)
}

// proveStrongly proves by the card, and has the SIM register confirm it: only such a phone hears in
// the place of one that it shuts out.
func proveStrongly(t *testing.T, d *door, token string) {
	t.Helper()
	prove(t, d, token)
	if status := d.json(http.MethodGet, "/v1/certificates", token, nil, nil); status != http.StatusOK {
		t.Fatalf("proved strongly: %d", status)
	}
}

func childOf(t *testing.T, d *door, token string) string {
	t.Helper()
	var children []struct{ Ref string }
	d.json(http.MethodGet, "/v1/preschool/children", token, nil, &children)
	return children[0].Ref
}

// TestAttackAThiefMovesTheNotices: the phone that the notices are moved from hears of it,
// and its word has them come back, with the offer that was made meanwhile.
func TestAttackAThiefMovesTheNotices(t *testing.T) {
	t.Parallel()
	const thief, parent = "+996555777001", aigul
	d := embedded(t)
	parents := d.signIn(parent)
	proveStrongly(t, d, parents)
	number := enrolled(t, d, parents, 0, "parent-12345")
	thiefs := d.signIn(thief)
	prove(t, d, thiefs)
	if status := d.json(http.MethodPut, "/v1/preschool/phone", thiefs, nil, nil); status != http.StatusOK {
		t.Fatalf("phone: %d", status)
	}
	word := undoWord.FindString(d.await(parent, "балаңыз"))
	d.offerTo(number)
	d.await(thief, "Орун")
	d.text(parent, word, "24")
	if told := d.await(parent, "Орун"); !strings.Contains(told, "20") {
		t.Errorf("told of the open offer: %q", told)
	}
	before := len(d.inbox(thief))
	d.unblock(parent)
	if out := d.staff("unheard"); !strings.Contains(out, "0 registrations") {
		t.Errorf("nobody hears of: %s", out)
	}
	d.both("operator", "", "staff", "withdraw", "--registration", number, "--reason", "at the parent's wish")
	d.await(parent, "жокко чыгарылды")
	for _, m := range d.inbox(thief)[:len(d.inbox(thief))-before] {
		if !strings.Contains(m.Text, "оператор") {
			t.Errorf("the phone that was undone is told %q", m.Text)
		}
	}
}

// TestAttackAThiefDeclinesTheOffer: the parent is told which phone declined, and after her
// word whom to ask; the officer is shown the answer with the command that offers the place anew.
func TestAttackAThiefDeclinesTheOffer(t *testing.T) {
	t.Parallel()
	const thief, parent = "+996555777001", aigul
	d := embedded(t)
	parents := d.signIn(parent)
	proveStrongly(t, d, parents)
	number := enrolled(t, d, parents, 0, "parent-12345")
	d.offerTo(number)
	d.await(parent, "Орун")
	thiefs := d.signIn(thief)
	prove(t, d, thiefs)
	word := undoWord.FindString(d.await(parent, "7001"))
	if status := d.answer(number, thiefs, false, nil); status != http.StatusOK {
		t.Fatalf("declined: %d", status)
	}
	d.await(parent, "…7001 телефонунан орундан баш тартылды")
	d.text(parent, word, "24")
	d.await(parent, "билим берүү бөлүмүнө")
	listed := d.staff("unheard")
	mend := regexp.MustCompile("eshik staff offer (--registration " + number + " --kindergarten \\S+)").FindStringSubmatch(listed)
	if mend == nil {
		t.Fatalf("the officer is shown %s", listed)
	}
	d.offers(strings.Fields(mend[1])...)
	if got := d.standing(number); got.State != "offered" {
		t.Errorf("stands at %+v", got)
	}
	if listed = d.staff("unheard"); !strings.Contains(listed, "0 answers") {
		t.Errorf("still shown %s", listed)
	}
	if out, err := d.run("fsck"); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

// TestAttackAThiefDeceivesAnOperator: a stranger whose phone an operator cleared declines the
// offer. The parent's word, whose phone was cleared before, shuts both out; operators see the
// answer and the phones.
func TestAttackAThiefDeceivesAnOperator(t *testing.T) {
	t.Parallel()
	const thief, parent = "+996555777001", aigul
	d := embedded(t)
	parents := d.signIn(parent)
	proveStrongly(t, d, parents)
	number := enrolled(t, d, parents, 0, "parent-12345")
	thiefs := d.signIn(thief)
	prove(t, d, thiefs)
	d.text(parent, undoWord.FindString(d.await(parent, "7001")), "24")
	d.unblock(parent)
	d.unblock(thief)
	d.await(parent, "башка телефонду (…7001)")
	parents = d.signIn(parent)
	prove(t, d, parents)
	thiefs = d.signIn(thief)
	prove(t, d, thiefs)
	word := undoWord.FindString(d.await(parent, "7001"))
	d.offerTo(number)
	d.await(parent, "Орун")
	if status := d.answer(number, thiefs, false, nil); status != http.StatusOK {
		t.Fatalf("declined: %d", status)
	}
	d.await(parent, "…7001 телефонунан орундан баш тартылды")
	d.text(parent, word, "экөөнү")
	for who, token := range map[string]string{"thief": thiefs, "parent": parents} {
		if status := d.json(http.MethodGet, "/v1/certificates", token, nil, nil); status != http.StatusUnauthorized {
			t.Errorf("the %s's token: %d", who, status)
		}
	}
	if listed := d.staff("unheard"); !strings.Contains(listed, "offer --registration "+number) || !strings.Contains(listed, "1 answers") {
		t.Errorf("the officer is shown %s", listed)
	}
	if listed := d.staff("disputes"); strings.Count(listed, "BLOCKED") != 1 || strings.Count(listed, "+996") != 3 { // with the advice
		t.Errorf("in dispute: %s", listed)
	}
	if out, err := d.run("fsck"); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

// answer answers the last offer that an app was shown for a registration.
func (d *door) answer(number, token string, accept bool, fault any) (status int) {
	d.t.Helper()
	var offers []struct{ ID, Number string }
	d.json(http.MethodGet, "/v1/preschool/offers", token, nil, &offers)
	for _, o := range offers {
		if o.Number == number {
			d.shown = o.ID
		}
	}
	return d.json(http.MethodPost, "/v1/preschool/registrations/"+number+"/answer", token, map[string]any{"offer": d.shown, "accept": accept}, fault)
}
