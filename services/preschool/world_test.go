package preschool

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

var start = testworld.Start

const (
	aigul      = "citizen-aigul"
	aigulPhone = testworld.Aigul
	nurai      = "10905202300044"
	// aigulOther is her new phone.
	aigulOther = "+996777000009"
)

// world is what the service asks: families, kindergartens, proofs and an inbox of messages,
// each once by its name.
type world struct {
	*testworld.World
	mu       sync.Mutex
	families map[string][]Minor // by the parent's personal number
	list     []Kindergarten
	inbox    map[string]notify.Message
	dropped  map[string]bool // by the message's name
	language locales.Locale
	undone   map[string]bool
	level    caller.Level // of proofs
	holder   string       // whom Айгүл's phones are proved for; empty: for her
}

// told are the texts to a phone whose names begin as said.
func (w *world) told(phone, dedup string) (texts []string) {
	for _, m := range w.messages() {
		if m.To == phone && strings.HasPrefix(m.Dedup, dedup) {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func (w *world) Children(_ context.Context, pin, _ string) ([]Minor, error) {
	return w.families[pin], nil
}

func (w *world) Kindergartens(context.Context) ([]Kindergarten, error) { return w.list, nil }

func (w *world) Proof(_ context.Context, c caller.Caller) (identity.Citizen, bool, error) {
	return identity.Citizen{ID: cmp.Or(w.holder, aigul), Level: w.level}, c.Phone == aigulPhone || c.Phone == aigulOther, nil
}

// HoldProof: whoever is not in undone is proved.
func (w *world) HoldProof(_ context.Context, _ *store.Tx, c caller.Caller) (bool, error) {
	return !w.undone[c.Phone], nil
}

// UndoNumber: a phone that is not Айгүл's was never proved for anybody.
func (w *world) UndoNumber(_ context.Context, _ *store.Tx, _ caller.Caller, phone string) (string, bool, error) {
	if phone == aigulPhone || phone == aigulOther {
		return "1234", true, nil
	}
	return "", true, nil
}

// PIN gives the citizen's id for a personal number: the families know it so.
func (w *world) PIN(_ context.Context, id string) (string, error) { return id, nil }

func (w *world) Locale(context.Context, string) (locales.Locale, error) { return w.language, nil }

func (w *world) SendAll(_ context.Context, _ *store.Tx, list []notify.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range list {
		if m.Text == "" { // it only takes earlier ones back
			w.takeBack(m.Topic, m.To)
			continue
		}
		w.inbox[m.Dedup] = m
	}
	return nil
}

// takeBack notes what would not leave any more of what was said about a topic, to a phone or,
// without one, to all.
func (w *world) takeBack(topic, phone string) {
	for dedup, m := range w.inbox {
		if m.Topic == topic && (phone == "" || m.To == phone) {
			w.dropped[dedup] = true
		}
	}
}

// waits counts the messages to a phone whose names begin as said that were not taken back.
func (w *world) waits(phone, dedup string) (n int) {
	for _, m := range w.messages() {
		if m.To == phone && strings.HasPrefix(m.Dedup, dedup) && !w.dropped[m.Dedup] {
			n++
		}
	}
	return n
}

func (w *world) messages() []notify.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []notify.Message{}
	for _, m := range w.inbox {
		all = append(all, m)
	}
	return all
}

// newWorld has 12 kindergartens in two districts, each with seats free seats
// in every group, and Айгүл with her daughter.
func newWorld(t testing.TB, db *store.DB, seats int) *world {
	t.Helper()
	w := &world{level: caller.LevelStrong, inbox: map[string]notify.Message{}, dropped: map[string]bool{}, families: map[string][]Minor{
		aigul: {{PIN: nurai, Name: "Нурай", Born: time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)}},
	}}
	w.World = testworld.New(t, db, testworld.Setup{Messages: w})
	for i := range 12 {
		district := District{Code: "41711201000000", Name: Name{KY: "Ленин району", RU: "Ленинский район"}}
		if i == 11 {
			district = District{Code: "41721000000000", Name: Name{KY: "Ош шаары", RU: "город Ош"}}
		}
		free := map[int]int{2: seats, 3: seats, 4: seats, 5: seats, 6: seats}
		title := fmt.Sprintf("№ %d «Күнчө»", i+1)
		w.list = append(w.list, Kindergarten{
			Code: fmt.Sprintf("K%02d", i+1), Name: Name{KY: title, RU: title}, District: district, Free: free,
		})
	}
	return w
}

func newService(t testing.TB, w *world) *Service {
	t.Helper()
	s, err := New(Deps{
		DB: w.DB, Families: w, Directory: w, Identity: w, Languages: w, Sealer: w.Sealer, Trail: w.Trail,
		Texts: w.Texts, Limiter: w.Limiter, Random: rand.Reader, Now: w.Now,
	})
	testworld.OK(t, err)
	return s
}

// parent is Айгүл at the moment of the world, in a turn.
func (w *world) parent(turn string) caller.Caller {
	return caller.Caller{
		Phone: aigulPhone, Subject: aigul, Level: caller.LevelStrong, Channel: caller.USSD, Locale: locales.KY, Now: w.Now(), Key: turn,
	}
}

// bear gives a citizen of their own a child born on a day and returns the
// citizen as a caller.
func (w *world) bear(n int, born time.Time) caller.Caller {
	id := fmt.Sprintf("citizen-%d", n)
	w.families[id] = []Minor{{PIN: fmt.Sprintf("2%013d", n), Name: "Бала", Born: born}}
	return caller.Caller{
		Phone: fmt.Sprintf("+99655510%04d", n), Subject: id, Level: caller.LevelStrong, Channel: caller.REST, Locale: locales.RU,
		Now: w.Now(), Key: fmt.Sprintf("turn-%d", n),
	}
}

// enrol registers the only child of c.
func enrol(t testing.TB, s *Service, c caller.Caller, choices ...string) Position {
	t.Helper()
	children, err := s.Children(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Register(t.Context(), c, children[0].Ref, choices)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// lastOffer is the id of a registration's last offer; "" where there is none.
func lastOffer(s *Service, number string) (id string) {
	err := s.DB.Reader().QueryRowContext(context.Background(), "SELECT o.id FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id "+
		"WHERE r.number = $1 ORDER BY o.offered_at DESC, o.id DESC LIMIT 1", number).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		panic(err)
	}
	return id
}
