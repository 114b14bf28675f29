package fine_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// grievance is an appeal of the first fine.
func grievance() fine.Appealed {
	return fine.Appealed{Plate: "01 kg 123 авс", Bill: "101", Ground: "sign", Text: "Знак закрыт деревом."}
}

// appealed appeals the first fine.
func (w *world) appealed(t *testing.T) fine.Appeal {
	t.Helper()
	a, err := w.Appeal(t.Context(), w.ownerOn(aigul), grievance())
	testworld.OK(t, err)
	return a
}

func officer(name string) staff.Act {
	return staff.Act{Actor: "staff:" + name, Reason: "case 14-2/77"}
}

// taken appeals the first fine and has an officer take it.
func (w *world) taken(t *testing.T, by string) fine.Appeal {
	t.Helper()
	a := w.appealed(t)
	testworld.OK(t, w.TakeAppeal(t.Context(), officer(by), a.Number))
	return a
}

func (w *world) records(action string) int {
	return w.Number("SELECT COUNT(*) FROM audit_records WHERE action = $1", action)
}

// TestAnOwnerAppealsAFine of their own car, strongly proved until it is kept; what is no appeal
// says what is wrong, and another's fine is as one that is nowhere.
func TestAnOwnerAppealsAFine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.city.cars["B1234AB"] = []string{"555"}
		w.city.fines["555"] = &record{}
		for name, c := range map[string]struct {
			who    func(*caller.Caller)
			change func(*fine.Appealed)
			key    string
		}{
			"nobody proved":     {who: func(c *caller.Caller) { c.Subject = "" }, key: "problem.fine_proof"},
			"weakly proved":     {who: func(c *caller.Caller) { c.Level = caller.LevelWeak }, key: "problem.level_strong"},
			"cut off meanwhile": {who: func(*caller.Caller) { w.proven = false }, key: "problem.fine_proof"},
			"another's car":     {who: func(*caller.Caller) { w.city.sold = true }, key: "problem.fine_appeal_fine"},
			"no such fine":      {change: func(a *fine.Appealed) { a.Bill = "999" }, key: "problem.fine_appeal_fine"},
			"another's fine":    {change: func(a *fine.Appealed) { a.Bill = "555" }, key: "problem.fine_appeal_fine"},
			"no plate":          {change: func(a *fine.Appealed) { a.Plate = "???" }, key: "problem.fine_plate"},
			"no number":         {change: func(a *fine.Appealed) { a.Bill = "1 OR 1" }, key: "problem.fine_number"},
			"no ground":         {change: func(a *fine.Appealed) { a.Ground = "because" }, key: "problem.fine_appeal_ground"},
			"no text":           {change: func(a *fine.Appealed) { a.Text = " \u200b\t " }, key: "problem.fine_appeal_text"},
			"figures":           {change: func(a *fine.Appealed) { a.Text = "1234567890" }, key: "problem.fine_appeal_text"},
			"bytes":             {change: func(a *fine.Appealed) { a.Text = "Знак\xff\xfe закрыт" }, key: "problem.fine_appeal_text"},
			"10 000 characters": {change: func(a *fine.Appealed) { a.Text = strings.Repeat("ы", 10_000) }, key: "problem.fine_appeal_text"},
		} {
			who, a := w.ownerOn(aigul), grievance()
			if c.who != nil {
				c.who(&who)
			}
			if c.change != nil {
				c.change(&a)
			}
			if _, err := w.Appeal(t.Context(), who, a); problem.From(err).Key != c.key {
				t.Errorf("%s: %v", name, err)
			}
			w.city.sold = false
		}
		if n := w.Number("SELECT COUNT(*) FROM fine_appeals") + w.records("fine.appeal") + w.queued("1 = 1"); n != 0 {
			t.Errorf("%d things are left of what was refused", n)
		}
		odd := grievance()
		odd.Text = "  Знак \x00закрыт\u202e\r\nдеревом\u0301.  "
		a, err := w.Appeal(t.Context(), w.ownerOn(aigul), odd)
		testworld.OK(t, err)
		if _, ok := fine.ParseAppeal(a.Number); !ok || a.State != fine.AppealReceived || a.Text != "Знак закрыт\nдеревом\u0301." || a.Plate != plate {
			t.Errorf("%+v", a)
		}
	})
}

// TestAFineHasOneOpenAppeal: of many at once one is made, the same again gives it, another is
// refused, also to somebody else; once it is withdrawn there may be another.
func TestAFineHasOneOpenAppeal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		numbers := make([]string, 8)
		var group sync.WaitGroup
		who := w.ownerOn(aigul)
		for i := range numbers {
			group.Go(func() {
				a, err := w.Appeal(t.Context(), who, grievance())
				if numbers[i] = a.Number; err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if len(slices.Compact(slices.Clone(numbers))) != 1 || w.records("fine.appeal") != 1 || w.queued("1 = 1") != 1 {
			t.Errorf("of eight at once: %q", numbers)
		}
		other := grievance()
		other.Text = "Это не я."
		if _, err := w.Appeal(t.Context(), who, other); problem.From(err).Key != "problem.fine_appeal_open" {
			t.Errorf("another text: %v", err)
		}
		another := who
		another.Subject = "citizen-2"
		if _, err := w.Appeal(t.Context(), another, grievance()); problem.From(err).Key != "problem.fine_appeal_open" {
			t.Errorf("another person: %v", err)
		}
		for name, number := range map[string]string{"another's": numbers[0], "nobody's": "58000000000", "none": "abc", "wrong": "58123456780"} {
			if _, err := w.AppealOf(t.Context(), another, number); problem.From(err).Key != "problem.fine_appeal" {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := w.WithdrawAppeal(t.Context(), another, number); problem.From(err).Key != "problem.fine_appeal" {
				t.Errorf("%s is withdrawn: %v", name, err)
			}
		}
		for range 2 {
			a, err := w.WithdrawAppeal(t.Context(), who, numbers[0][:3]+" "+numbers[0][3:])
			if err != nil || a.State != fine.AppealWithdrawn || a.EndedAt.IsZero() {
				t.Errorf("withdrawn: %+v, %v", a, err)
			}
		}
		a, err := w.Appeal(t.Context(), who, other)
		testworld.OK(t, err)
		list, err := w.Appeals(t.Context(), who)
		testworld.OK(t, err)
		if len(list) != 2 || list[0].Number != a.Number && list[1].Number != a.Number || w.records("fine.appeal_withdraw") != 1 {
			t.Errorf("%+v", list)
		}
	})
}

// TestWhoAppealsADay: ten times at most.
func TestWhoAppealsADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for range 10 {
			w.appealed(t)
		}
		if _, err := w.Appeal(t.Context(), w.ownerOn(aigul), grievance()); problem.From(err).Key != "problem.fine_appeals" {
			t.Errorf("the eleventh: %v", err)
		}
		w.Pass(25 * time.Hour)
		w.appealed(t)
	})
}

// TestOfficersDecideAppeals: who took it last, once, for a reason that is recorded; the person's
// phones are told what comes next, and read why.
func TestOfficersDecideAppeals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.appealed(t)
		w.phones = []string{aigul, bakyt}
		decide := func(by string, to fine.AppealState) error {
			return w.DecideAppeal(t.Context(), officer(by), a.Number, to, "Знак виден на фото.")
		}
		refused := func(what, key string, err error) {
			t.Helper()
			if problem.From(err).Key != key {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("not taken", "problem.fine_appeal_untaken", decide("dinara", fine.AppealRejected))
		testworld.OK(t, w.TakeAppeal(t.Context(), officer("asel"), a.Number))
		testworld.OK(t, w.TakeAppeal(t.Context(), officer("dinara"), a.Number))
		testworld.OK(t, w.TakeAppeal(t.Context(), officer("dinara"), a.Number))
		refused("taken over", "problem.fine_appeal_untaken", decide("asel", fine.AppealRejected))
		refused("no decision", "problem.fine_appeal_decision", decide("dinara", fine.AppealWithdrawn))
		refused("no answer", "problem.fine_appeal_answer", w.DecideAppeal(t.Context(), officer("dinara"), a.Number, fine.AppealRejected, "no"))
		refused("no appeal", "problem.fine_appeal", w.TakeAppeal(t.Context(), officer("asel"), "58000000000"))
		waiting, err := w.WaitingAppeals(t.Context())
		testworld.OK(t, err)
		if len(waiting) != 1 || waiting[0].TakenBy != "staff:dinara" || waiting[0].State != fine.AppealTaken {
			t.Errorf("waiting: %+v", waiting)
		}
		shown, err := w.AppealCase(t.Context(), officer("vera"), a.Number)
		testworld.OK(t, err)
		if shown.Text != "Знак закрыт деревом." || w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'fine.appeal_read' AND actor = 'staff:vera' AND purpose = 'case 14-2/77'") != 1 {
			t.Errorf("shown: %+v", shown)
		}

		var group sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			group.Go(func() {
				errs[i] = decide("dinara", []fine.AppealState{fine.AppealRejected, fine.AppealAccepted}[i%2])
			})
		}
		group.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
				continue
			}
			refused("at once", "problem.fine_appeal_over", err)
		}
		if done != 1 || w.records("fine.appeal_accepted")+w.records("fine.appeal_rejected") != 1 || w.queued("purpose = 'statutory'") != 2 {
			t.Errorf("decided %d times at once", done)
		}
		mine, err := w.AppealOf(t.Context(), w.ownerOn(aigul), a.Number)
		if err != nil || mine.State.Open() || mine.Answer != "Знак виден на фото." {
			t.Errorf("%+v, %v", mine, err)
		}
		_, err = w.WithdrawAppeal(t.Context(), w.ownerOn(aigul), a.Number)
		refused("withdrawn when decided", "problem.fine_appeal_over", err)
		refused("taken when decided", "problem.fine_appeal_over", w.TakeAppeal(t.Context(), officer("dinara"), a.Number))
	})
}

// TestADecisionIsToldWithWhatComesNext: an accepted fine is the register's to cancel, a rejected
// one is to be paid, with the discount while it lasts.
func TestADecisionIsToldWithWhatComesNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to    fine.AppealState
		after time.Duration
		says  []string
	}{
		"accepted":           {fine.AppealAccepted, 0, []string{"удовлетворена", "реестр", "ШТРАФ " + plate}},
		"rejected in time":   {fine.AppealRejected, 0, []string{"отклонена", "до 23.12.2026 ", "ШТРАФ " + plate, "Почему: ЖАЛОБА."}},
		"rejected too late":  {fine.AppealRejected, 40 * 24 * time.Hour, []string{"отклонена", "ШТРАФ " + plate}},
		"nobody to be told.": {fine.AppealRejected, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.city.fines["101"].Delivered = w.Now()
				a := w.taken(t, "dinara")
				if a.DiscountUntil.IsZero() {
					t.Error("the discount's end is not known")
				}
				if c.says != nil {
					w.phones = []string{bakyt}
				}
				w.Pass(c.after)
				testworld.OK(t, w.DecideAppeal(t.Context(), officer("dinara"), a.Number, c.to, "Знак виден на фото."))
				if n := w.queued("purpose = 'statutory'"); n != len(w.phones) {
					t.Fatalf("%d messages to %d phones", n, len(w.phones))
				}
				if c.says == nil {
					return
				}
				w.Work()
				testworld.Eventually(t, "the message", func() bool {
					for _, m := range w.Phones.Sent() {
						if m.To == bakyt {
							for _, part := range c.says {
								if !strings.Contains(m.Text, part) {
									t.Errorf("%q lacks %q", m.Text, part)
								}
							}
							if strings.Contains(m.Text, "фото") || c.after > 0 && strings.Contains(m.Text, "скидк") {
								t.Errorf("%q says too much", m.Text)
							}
							return true
						}
					}
					return false
				})
			})
		})
	}
}

// TestAppealsAreErased with their files and their person, whose links to photos go too, and three years
// after their end.
func TestAppealsAreErased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		holder := fine.Holder(w.Service)
		file, err := w.AddFile(t.Context(), w.ownerOn(aigul), w.appealed(t).Number, aPDF(1))
		testworld.OK(t, err)
		token := w.sentLink(t, "turn-1")
		person := personal.Person{ID: citizen, Phone: aigul, Now: w.Now()}
		var kept []personal.Record
		testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) (err error) {
			kept, err = holder.Export(t.Context(), tx, person)
			return err
		}))
		if len(kept) != 1 || kept[0].Kind != "appeal" || !slices.Contains(kept[0].Fields, personal.Text("text", "Знак закрыт деревом.")) ||
			!slices.Contains(kept[0].Fields, personal.Text("files", file.Name())) {
			t.Errorf("exported: %+v", kept)
		}
		testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error { return holder.Erase(t.Context(), tx, person) }))
		for _, table := range []string{"fine_appeals", "fine_appeal_files", "fine_appeal_file_contents", "fine_photo_links"} {
			if n := w.Number("SELECT COUNT(*) FROM " + table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		if photo, key := w.opens(t, token); photo != "" || key != "problem.fine_photo_link" {
			t.Errorf("the link of who is erased: %q, %s", photo, key)
		}
		a := w.appealed(t)
		_, err = w.WithdrawAppeal(t.Context(), w.ownerOn(aigul), a.Number)
		testworld.OK(t, err)
		w.Pass(1095 * 24 * time.Hour)
		testworld.OK(t, w.ForgetAppeals(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM fine_appeals"); n != 1 {
			t.Error("it is forgotten too early")
		}
		w.Pass(time.Hour)
		testworld.OK(t, w.ForgetAppeals(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM fine_appeals"); n != 0 || w.records("fine.appeal_erase") != 2 {
			t.Errorf("%d appeals are left", n)
		}
		testworld.OK(t, db.Snapshot(t.Context(), w.look))
	})
}

// TestAnAppealIsTheLogs: whoever writes to an appeal is named, also once its next step made it right.
func TestAnAppealIsTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.taken(t, "dinara")
		testworld.OK(t, db.Snapshot(t.Context(), w.look))
		var list []storetest.Plant
		for _, set := range []string{
			"number = '1'", "citizen_id = 'x'", "bill = '102'", "open_bill = NULL", "plate_sealed = text_sealed", "ground = 'sold'", "text_sealed = plate_sealed",
			"state = 'accepted'", "taken_by = 'staff:x'", "answer_sealed = text_sealed", "received_at = 1", "taken_at = NULL", "ended_at = 1", "discount_at = 1",
		} {
			list = append(list, storetest.Plant{Name: set, Statements: []string{"UPDATE fine_appeals SET " + set}, Named: []string{"the appeal", "otherwise"}})
		}
		list = append(list,
			storetest.Plant{Name: "another id", Statements: []string{"UPDATE fine_appeals SET id = 'x'"}, Named: []string{"knows nothing of the appeal x"}},
			storetest.Plant{Name: "gone", Statements: []string{"DELETE FROM fine_appeals"}, Named: []string{"the appeal", "is gone"}})
		storetest.Planted(t, db, list, w.look)
		_, err := db.Writer().ExecContext(t.Context(), "UPDATE fine_appeals SET taken_by = 'staff:x'")
		testworld.OK(t, err)
		testworld.OK(t, w.TakeAppeal(t.Context(), officer("dinara"), w.number(t)))
		if err := db.Snapshot(t.Context(), w.look); err == nil || !strings.Contains(err.Error(), "was changed between the audit records") {
			t.Errorf("made right by the next step: %v", err)
		}
	})
}

// number is that of the only appeal.
func (w *world) number(t *testing.T) (number string) {
	t.Helper()
	testworld.OK(t, w.DB.Reader().QueryRowContext(t.Context(), "SELECT number FROM fine_appeals").Scan(&number))
	return number
}
