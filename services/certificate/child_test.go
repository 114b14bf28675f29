package certificate_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

const (
	nurai   = "10905202300044"
	another = "20101201500055"
)

// withChildren is a world whose person has two children.
func withChildren(t testing.TB, db *store.DB) *world {
	t.Helper()
	h := newWorld(t, db)
	h.register.children = []certificate.Minor{minor(nurai, "Нурай", "2023-05-09"), minor(another, "Нурай", "2015-01-01")}
	return h
}

// refs are those of the person's children, in the register's order.
func refs(t testing.TB, h *world) []string {
	t.Helper()
	var list []string
	for _, child := range must[[]certificate.Child](t)(h.Children(t.Context(), rest("list"))) {
		list = append(list, child.Ref)
	}
	return list
}

// TestAChildsCertificate: it is about the child, the order is the parent's, and each of the
// two sees who acted for whom.
func TestAChildsCertificate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		h.Work()
		ref := refs(t, h)[0]
		if strings.Contains(ref, nurai) || len(ref) != 16 {
			t.Errorf("the ref is %q", ref)
		}
		got := must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, ref))
		if again := must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, ref)); again != got || h.register.calls != 1 {
			t.Errorf("the same request gives %+v and %+v, %d calls", got, again, h.register.calls)
		}
		if got.Child != "Нурай А." || got.State != certificate.Issued {
			t.Errorf("%+v", got)
		}
		_, err := h.Request(t.Context(), rest("t1"), certificate.Residential)
		testworld.Refused(t, err, "problem.certificate_repeated")
		_, err = h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, refs(t, h)[1])
		testworld.Refused(t, err, "problem.certificate_repeated")
		stranger := caller.Caller{Channel: caller.Web, Now: noon}
		if view := must[certificate.View](t)(h.Verify(t.Context(), stranger, got.Number)); view.Initials != "А. Н." || view.BirthYear != "2023" {
			t.Errorf("verified: %+v", view)
		}
		if text := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), rest(""), got.Number))); !strings.Contains(text, "Нурай") || strings.Contains(text, "Айгүл") {
			t.Errorf("the document says %q", text)
		}
		share(t, h, rest("t3"), got.Number)
		h.OK(h.Unshare(t.Context(), rest("t4"), got.Number))
		must[certificate.Signed](t)(h.OpenShared(t.Context(), anybody, atBank(share(t, h, rest("t5"), got.Number))))
		act := staff.Act{Actor: "officer", Reason: "an error"}
		h.OK(h.Revoke(t.Context(), act, caller.Caller{Subject: "officer", Now: noon.Add(time.Hour)}, got.Number))
		own := must[certificate.Certificate](t)(h.Request(t.Context(), rest("t2"), certificate.Residential))
		if list := must[[]certificate.Certificate](t)(h.List(t.Context(), rest(""))); len(list) != 2 || list[0].Child+list[1].Child != "Нурай А." || own.Child != "" {
			t.Errorf("the list is %+v", list)
		}
		for action, actor := range map[string]string{
			"certificate.child.request": "parent:" + citizen, "certificate.child.issue": "parent:" + citizen, "certificate.child.download": "parent:" + citizen,
			"certificate.child.verify": "verifier", "certificate.child.revoke": "officer", "certificate.child.share": "parent:" + citizen,
			"certificate.child.share_end": "parent:" + citizen, "certificate.child.open": "verifier",
		} {
			want := 1
			if action == "certificate.child.share" {
				want = 2
			}
			if n := h.Number("SELECT count(*) FROM audit_records WHERE action = $1 AND actor = $2 AND subject = $3", action, actor, "the citizen "+nurai); n != want {
				t.Errorf("the child sees %s %d times", action, n)
			}
		}
		if n := h.Number("SELECT count(*) FROM audit_records WHERE subject = $1 AND action IN ('certificate.request.child', 'certificate.children')", citizen); n != 2 {
			t.Errorf("the parent sees %d of it", n)
		}
		if n := h.Number("SELECT count(*) FROM analytics_events WHERE step = 'issue_residence'"); n != 2 {
			t.Errorf("%d uses are counted of two", n)
		}
		h.OK(db.Snapshot(t.Context(), h.look))
		testworld.Eventually(t, "the parent is told of which child it is", func() bool {
			return strings.Contains(strings.Join(h.Phones.Texts(), "\n"), "(Нурай А.)")
		})
	})
}

// TestNoChildOfTheirs: whoever the register does not name as a minor child, or knows as dead,
// gets no certificate, nothing is kept, and a register that is away is said to be.
func TestNoChildOfTheirs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		list := refs(t, h)
		h.register.children[1].Born = noon.AddDate(-18, 0, 0).Truncate(24 * time.Hour) // turns 18 today
		for i, c := range []struct {
			ref, key string
			before   func()
		}{
			{"0123456789abcdef", "problem.certificate_child", func() {}},
			{nurai, "problem.certificate_child", func() {}},
			{"", "problem.certificate_child", func() {}},
			{list[1], "problem.certificate_child_grown", func() {}},
			{list[0], "problem.certificate_child_barred", func() { h.register.barred = nurai }},
			{list[0], "problem.registry_down", func() { h.register.away = problem.New(problem.Unavailable, "problem.registry_down") }},
			{list[0], "problem.certificate_child", func() { h.register.away, h.register.barred, h.register.children = nil, "", nil }},
		} {
			c.before()
			_, err := h.RequestForChild(t.Context(), rest(fmt.Sprint("t", i)), certificate.Residential, c.ref)
			testworld.Refused(t, err, c.key)
		}
		weak := rest("t9")
		weak.Level = caller.LevelWeak
		_, err := h.RequestForChild(t.Context(), weak, certificate.Residential, list[0])
		testworld.Refused(t, err, "problem.level_strong")
		_, err = h.Children(t.Context(), weak)
		testworld.Refused(t, err, "problem.level_strong")
		if n := h.Number("SELECT count(*) FROM certificates"); n != 0 {
			t.Errorf("%d certificates", n)
		}
	})
}

// TestAnotherParentsChild: the ref of a child opens it to the parent alone whom the register
// names.
func TestAnotherParentsChild(t *testing.T) {
	t.Parallel()
	h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
	ref := refs(t, h)[0]
	h.register.children = h.register.children[1:] // the first one is registered to the other parent only
	_, err := h.RequestForChild(t.Context(), rest("t1"), certificate.Family, ref)
	testworld.Refused(t, err, "problem.certificate_child")
}

// TestEighteenAtMidnight: in Bishkek, and a child born on a 29th of February on the 1st of March.
func TestEighteenAtMidnight(t *testing.T) {
	t.Parallel()
	h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
	for born, last := range map[string]time.Time{
		"2008-11-24": time.Date(2026, 11, 23, 17, 59, 59, 0, time.UTC),
		"2008-02-29": time.Date(2026, 2, 28, 17, 59, 59, 0, time.UTC),
	} {
		h.register.children = []certificate.Minor{minor(nurai, "Нурай", born)}
		for after, want := range map[time.Duration]int{0: 1, time.Second: 0} {
			c := rest("t")
			c.Now = last.Add(after)
			if n := len(must[[]certificate.Child](t)(h.Children(t.Context(), c))); n != want {
				t.Errorf("born %s, at %s: %d children", born, c.Now, n)
			}
		}
	}
}

// TestTheRightEndsBeforeTheSignature: an intent that a crash left is not finished once the
// child has grown up, or the parent is none any more; nobody is given it, and it is not
// finished either while the register does not say.
func TestTheRightEndsBeforeTheSignature(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		list := refs(t, h)
		h.signer.fails = true
		for i, ref := range list {
			if _, err := h.RequestForChild(t.Context(), rest(fmt.Sprint("t", i)), certificate.Residential, ref); err == nil {
				t.Fatal("issued without a signature")
			}
		}
		h.signer.fails, h.register.away = false, errors.New("away")
		if _, err := h.RequestForChild(t.Context(), rest("t0"), certificate.Residential, list[0]); err == nil {
			t.Error("issued without the register")
		}
		h.register.away, h.register.children = nil, h.register.children[1:]
		_, err := h.RequestForChild(t.Context(), rest("t0"), certificate.Residential, list[0])
		testworld.Refused(t, err, "problem.certificate_child")
		h.register.children[0].Born = noon.AddDate(-18, 0, 0).Truncate(24 * time.Hour)
		h.Work() // the other one is the background's to finish
		testworld.Eventually(t, "both are dropped", func() bool {
			return h.Number("SELECT count(*) FROM certificates WHERE state = 'dropped'") == 2
		})
		_, err = h.RequestForChild(t.Context(), rest("t0"), certificate.Residential, list[0])
		testworld.Refused(t, err, "problem.certificate_child")
		if list := must[[]certificate.Certificate](t)(h.List(t.Context(), rest(""))); len(list) != 0 {
			t.Errorf("listed: %+v", list)
		}
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 0 {
			t.Errorf("%d messages", n)
		}
		h.OK(db.Snapshot(t.Context(), h.look))
	})
}

// TestTwoPhonesAtOnce: 32 tries of one key on two phones are one certificate of the child, and
// the limit is the parent's, whoever it is of.
func TestTwoPhonesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		list := refs(t, h)
		var numbers sync.Map
		var group sync.WaitGroup
		for i := range 32 {
			group.Go(func() {
				c := rest("same")
				if i%2 == 0 {
					c.Phone = testworld.Bakyt
				}
				made, err := h.RequestForChild(t.Context(), c, certificate.Residential, list[0])
				if err != nil {
					t.Error(err)
				}
				numbers.Store(made.Number, true)
			})
		}
		group.Wait()
		n := 0
		numbers.Range(func(any, any) bool { n++; return true })
		if n != 1 || h.Number("SELECT count(*) FROM certificates") != 1 {
			t.Errorf("%d numbers", n)
		}
		for i := range 19 {
			must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest(fmt.Sprint("t", i)), certificate.Residential, list[i%2]))
		}
		_, err := h.Request(t.Context(), rest("t20"), certificate.Residential)
		testworld.Refused(t, err, "problem.certificate_many")
	})
}

// TestAReleasedParent: who was cut off from the person while the registers were asked gets no
// child's certificate, and one that is finished later is told to nobody.
func TestAReleasedParent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		ref := refs(t, h)[0]
		h.proofs.undone = true
		_, err := h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, ref)
		testworld.Refused(t, err, "problem.certificate_identify")
		h.proofs.undone, h.proofs.released, h.signer.fails = false, true, true
		if _, err := h.RequestForChild(t.Context(), rest("t2"), certificate.Residential, ref); err == nil {
			t.Fatal("issued without a signature")
		}
		h.signer.fails = false
		must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t2"), certificate.Residential, ref))
		if n := h.Number("SELECT count(*) FROM notify_messages"); n != 0 {
			t.Errorf("%d messages to the stranger", n)
		}
	})
}

// TestPlantedHolders: whoever has a certificate be about somebody else is found.
func TestPlantedHolders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := withChildren(t, db)
		must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, refs(t, h)[0]))
		must[certificate.Certificate](t)(h.Request(t.Context(), rest("t2"), certificate.Residential))
		h.OK(db.Snapshot(t.Context(), h.look))
		var all []storetest.Plant
		for set, named := range map[string]string{
			"holder_id = 'x' WHERE holder_id <> ''":                 " in its holder what the audit record ",
			"holder_ref = 'x' WHERE holder_id <> ''":                " in its holder what the audit record ",
			"holder_id = '', holder_ref = '' WHERE holder_id <> ''": " in its holder what the audit record ",
			"holder_id = 'x' WHERE holder_id = ''":                  "is of somebody whom the audit log does not name",
		} {
			all = append(all, storetest.Plant{Name: set, Statements: []string{"UPDATE certificates SET " + set}, Named: []string{named}})
		}
		storetest.Planted(t, db, all, h.look)
	})
}

// TestWhatIsGivenOfAChild: a parent's copy has no more of the child than its name, the child's
// own has all.
func TestWhatIsGivenOfAChild(t *testing.T) {
	t.Parallel()
	h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
	must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, refs(t, h)[0]))
	holder := certificate.Holder(h.Service)
	for person, want := range map[string]bool{citizen: false, "the citizen " + nurai: true, "nobody": false} {
		err := h.DB.InTx(t.Context(), func(tx *store.Tx) error {
			records, err := holder.Export(t.Context(), tx, personal.Person{ID: person, Now: noon})
			if text := fmt.Sprint(records); strings.Contains(text, "Чүй") != want || strings.Contains(text, "Нурай") != (person != "nobody") {
				t.Errorf("%s is given %s", person, text)
			}
			kept, failed := holder.Keeps(t.Context(), tx, personal.Person{ID: person, Now: noon})
			if (len(kept) == 1) != (person != "nobody") {
				t.Errorf("of %s is kept %v", person, kept)
			}
			return errors.Join(err, failed)
		})
		h.OK(err)
	}
}

// TestNothingOfAChildInPlain: no column has the child's name or personal number.
func TestNothingOfAChildInPlain(t *testing.T) {
	t.Parallel()
	h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
	must[certificate.Certificate](t)(h.RequestForChild(t.Context(), rest("t1"), certificate.Residential, refs(t, h)[0]))
	for _, secret := range []string{"Нурай", nurai} {
		query := "SELECT count(*) FROM certificates WHERE instr(CAST(intent_sealed AS BLOB), CAST($1 AS BLOB)) > 0 OR instr(CAST(signed_sealed AS BLOB), CAST($1 AS BLOB)) > 0 OR instr(request_key || holder_ref, $1) > 0"
		if n := h.Number(query, secret); n != 0 {
			t.Errorf("%d rows hold %q", n, secret)
		}
	}
}

// TestForWhom: who has children is asked for whom, who has none is not, ten children are paged,
// and two of one name are told apart.
func TestForWhom(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
			dialled := 0
			dial := func() *conversation {
				k := newConversation(t, h, loc)
				dialled++
				k.turn = 100 * dialled
				k.start("")
				k.say("1")
				k.say("1")
				return k
			}
			k := dial()
			if got := k.say("2"); !strings.Contains(got, "09.05.2023") && !strings.Contains(got+k.say("9"), "09.05.2023") {
				t.Errorf("two of one name: %q", got)
			}
			if got := k.say("2"); shown.FindString(got) == "" || !strings.Contains(got, "Нурай А.") && !strings.Contains(got, "Nurai A.") {
				t.Errorf("the child's certificate: %q", got)
			}
			if n := h.Number("SELECT count(*) FROM certificates WHERE holder_id = $1", "the citizen "+nurai); n != 1 {
				t.Errorf("%d of the child", n)
			}
			k = dial()
			k.say("2")
			if got := k.say("1"); shown.FindString(got) == "" {
				t.Errorf("one's own: %q", got)
			}
			if n := h.Number("SELECT count(*) FROM certificates WHERE holder_id = ''"); n != 1 {
				t.Errorf("%d of one's own", n)
			}
			h.register.children = nil
			for i := range 10 {
				h.register.children = append(h.register.children, minor(fmt.Sprint("1090520230", 1000+i), fmt.Sprint("Нурмухаммедали", i), "2023-05-09"))
			}
			k = dial()
			pages := k.say("2")
			for range 12 {
				pages += k.say("9")
			}
			for i := range 10 {
				if !strings.Contains(pages, fmt.Sprint(i)) {
					t.Errorf("child %d is on no page: %q", i, pages)
				}
			}
			h.register.away = problem.New(problem.Unavailable, "problem.registry_down")
			k = dial()
			k.say("1")
			if got := k.say("1"); shown.FindString(got) == "" {
				t.Errorf("one's own while the register of families is away: %q", got)
			}
		})
	}
}

// TestTheRegisterIsAskedForChildrenWithinBounds: whoever lists their children without end is refused, and
// the register is not asked for them.
func TestTheRegisterIsAskedForChildrenWithinBounds(t *testing.T) {
	t.Parallel()
	h := withChildren(t, storetest.Open(t, storetest.NewSQLite(t)))
	for range 60 {
		must[[]certificate.Child](t)(h.Children(t.Context(), rest("")))
	}
	h.register.away = errors.New("asked once more")
	_, err := h.Children(t.Context(), rest(""))
	testworld.Refused(t, err, "problem.certificate_children_many")
}
