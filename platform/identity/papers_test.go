package identity_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const (
	elena         = "+996770000003"
	elenaPIN      = "10112199200033"
	elenaDocument = "ID1000003"
)

// Somebody whose document is theirs proves nothing where it is void or over, or where they
// are dead or their number is blocked; the screen says which and what to do.
func TestPapersThatProveNothing(t *testing.T) {
	t.Parallel()
	today := testworld.Start.Truncate(24 * time.Hour) // by Bishkek's clock it is over at 18:00 in UTC
	for name, c := range map[string]struct {
		papers registry.Person
		later  time.Duration
		want   string // of the problem; "": a proof
		says   string
	}{
		"valid":             {papers: registry.Person{Expires: lasting}},
		"on the last day":   {papers: registry.Person{Expires: today}, later: 11 * time.Hour},
		"the day after":     {papers: registry.Person{Expires: today}, later: 13 * time.Hour, want: "document_expired", says: "Срок документа истёк"},
		"void":              {papers: registry.Person{Expires: lasting, Void: true}, want: "document_void", says: "недействителен"},
		"dead or blocked":   {papers: registry.Person{Expires: lasting, Barred: true}, want: "person_barred", says: "не подтвердил"},
		"blocked, and over": {papers: registry.Person{Expires: today.AddDate(-1, 0, 0), Barred: true}, want: "person_barred", says: "не подтвердил"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				papers := c.papers
				papers.Surname, papers.Name = "Ковалёва", "Елена"
				w.register.other = map[string]registry.Person{elenaPIN: papers}
				w.Pass(c.later)
				w.verify(elena)
				_, err := w.service.Prove(t.Context(), w.by(elena), elenaPIN, elenaDocument)
				if c.want == "" {
					w.OK(err)
					return
				}
				w.refused(err, c.want)
				if _, proved, err := w.service.Proof(t.Context(), w.by(elena)); proved || err != nil {
					t.Errorf("a proof all the same: %v", err)
				}
				if n := w.Number("SELECT COUNT(*) FROM identity_attempts WHERE state = 'refused'"); n != 1 {
					t.Errorf("%d attempts are refused", n)
				}
				k := newDialler(w, elena)
				k.dial()
				k.say("1", "персональный номер")
				k.say(elenaPIN, "номер ID-карты")
				k.say(elenaDocument, c.says)
				k.say("1", "персональный номер")
			})
		})
	}
}
