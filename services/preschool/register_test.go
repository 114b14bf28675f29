package preschool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/registry"
)

// household answers for one PIN and remembers the call.
type household struct{ call registry.Call }

func (h *household) Family(_ context.Context, call registry.Call, pin string) ([]registry.Member, bool, error) {
	h.call = call
	if pin != "11503198800011" {
		return nil, false, nil
	}
	return []registry.Member{
		{PIN: pin, Name: "Айгүл", Relation: "self", BirthDate: time.Date(1988, time.March, 15, 0, 0, 0, 0, time.UTC)},
		{PIN: nurai, Name: "Нурай", Relation: "child", BirthDate: time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)},
	}, true, nil
}

func TestFromAimak(t *testing.T) {
	t.Parallel()
	h := &household{}
	minors, err := FromAimak(h).Children(t.Context(), "11503198800011", "preschool:x")
	if err != nil || len(minors) != 1 || minors[0].PIN != nurai {
		t.Errorf("%d children, %v", len(minors), err)
	}
	if h.call.UserID != "KG11503198800011" || h.call.Issue != "preschool:x" {
		t.Error("the call does not say who asks and why")
	}
	if minors, err := FromAimak(h).Children(t.Context(), "12912199900099", "preschool:x"); err != nil || len(minors) != 0 {
		t.Errorf("an unknown PIN has %d children, %v", len(minors), err)
	}
}

// lister counts its calls and fails on demand.
type lister struct {
	calls int
	fails error
}

func (l *lister) List(_ context.Context, _ registry.Call, district string) ([]registry.Kindergarten, error) {
	l.calls++
	return []registry.Kindergarten{{
		ID: "K" + district[6:8], NameKY: "Күнчө", NameRU: "Күнчө", District: district,
		Groups: []registry.KindergartenGroup{{AgeFrom: 3, AgeTo: 4, Free: 2}, {AgeFrom: 3, AgeTo: 4, Free: 1}, {AgeFrom: 4, AgeTo: 5}},
	}}, l.fails
}

func TestFromRegisterKeepsTheListForAWhile(t *testing.T) {
	t.Parallel()
	now, l := start, &lister{}
	directory, err := FromRegister(l, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	districts := strings.Count(districtsFile, "[[district]]")
	for _, after := range []time.Duration{0, directoryAge / 2, directoryAge / 2} {
		now = now.Add(after)
		all, err := directory.Kindergartens(t.Context())
		if err != nil || len(all) != districts || all[0].Free[3] != 3 || all[0].District.Name.KY != "Ленин району" {
			t.Fatalf("%+v, %v", all, err)
		}
	}
	if l.calls != 2*districts {
		t.Errorf("the register was asked %d times", l.calls)
	}
	now, l.fails = now.Add(directoryAge), errors.New("down")
	if _, err := directory.Kindergartens(t.Context()); !errors.Is(err, l.fails) {
		t.Errorf("a failing register: %v", err)
	}
}
