// Package preschool keeps the queue for kindergarten places: a parent registers
// a child for up to three kindergartens, sees the place in each queue by a
// number, and accepts or declines the place that an operator offers.
//
// The order within an age group is benefit first, then the moment of
// registration. The rules are dated data: see policy.toml.
package preschool

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// name is the service's name in statistics, node ids and locale keys.
const name = "preschool"

// Identity tells who a caller proved to be. identity.Service is one.
type Identity interface {
	// Proof gives the citizen that the caller's phone proved to be.
	Proof(ctx context.Context, c caller.Caller) (identity.Citizen, bool, error)
	// PIN is a citizen's personal number, for calls to registries only.
	PIN(ctx context.Context, citizenID string) (string, error)
	// HoldProof reports that the caller's phone is proved for c.Subject, and keeps it so
	// until tx ends.
	HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error)
	// UndoNumber makes the digits by which a phone undoes the caller's, and says whether
	// it may be told; a phone that may, and has none to undo it by, is told without.
	UndoNumber(ctx context.Context, tx *store.Tx, c caller.Caller, phone string) (number string, tell bool, err error)
}

// Languages remembers the language a phone's owner chose. identity.Service is
// one.
type Languages interface {
	Locale(ctx context.Context, phone string) (locales.Locale, error)
}

// Deps is what the service stands on; every field is needed.
type Deps struct {
	DB        *store.DB
	Families  Families
	Directory Directory
	Identity  Identity
	Languages Languages
	Sealer    *seal.Sealer
	Trail     *trail.Trail
	Texts     *locales.Catalogue
	Limiter   limit.Limiter
	// Random draws registration numbers: crypto/rand.Reader.
	Random io.Reader
	// Now is the moment of operator commands, which have no caller.
	Now func() time.Time
}

// Service is the preschool queue.
type Service struct {
	Deps
	rules   rules
	regions *analytics.Regions
	// known is of the kindergartens, as listed last.
	known atomic.Pointer[known]
	// replays are public files that were asked for.
	replays replays
	// offersFailedAt is when a round of offers failed last, in microseconds since 1970.
	offersFailedAt atomic.Int64
}

// New makes the service with the rules of policy.toml.
func New(d Deps) (*Service, error) {
	if err := needs.All("the preschool queue", d); err != nil {
		return nil, err
	}
	r, err := parseRules(policyFile)
	if err != nil {
		return nil, err
	}
	regions, err := analytics.LoadRegions()
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, rules: r, regions: regions}, nil
}

// Name is a name in the two languages of the registers.
type Name struct{ KY, RU string }

// In is the name in a caller's language: Russian for ru, Kyrgyz for all else.
func (n Name) In(loc locales.Locale) string {
	if loc.Language() == locales.RU {
		return n.RU
	}
	return n.KY
}

// Child is a child that a citizen may register.
type Child struct {
	// Ref names the child to Register without telling the personal number.
	Ref string
	// Name is the given name, as the register writes it.
	Name string
	Born time.Time
	// Number is that of its registration while it waits or has a place; empty for none.
	Number string
}

// District is a district that has kindergartens. Code is its SOATE code.
type District struct {
	Code string
	Name Name
}

// Kindergarten is one kindergarten as its register reports it.
type Kindergarten struct {
	Code     string
	Name     Name
	District District
	// Free is the number of free seats by the group's age on the intake day: 3
	// is the group 3-4. Children placed through this queue are not subtracted.
	Free map[int]int
}

// State is where a registration stands.
type State string

// The states of a registration. A child with an open offer still has its place
// in the queues. One that left gave its place back, one that was withdrawn was an
// officer's to end: the child of either may be registered again.
const (
	StateWaiting State = "waiting"
	StateOffered State = "offered"
	StatePlaced  State = "placed"
	StateLeft    State = "left"
	// StateWithdrawn is told over REST as left.
	StateWithdrawn State = "withdrawn"
)

// Position is what anybody who knows a registration number may see.
type Position struct {
	Number string
	State  State
	// Group is the age group for the current intake, "3-4".
	Group string
	// Places are in the parent's order of wish; none once the child is placed.
	Places []Place
	// Offer is the place that is offered and waits for an answer; nil for none.
	Offer *Offer
	// Key is the child's in the public files of allocations, see package replay. It is told to the
	// proven parent alone, by Service.Registrations, and the same in all of them.
	Key string
}

// Place is the place in the queue of one kindergarten's age group.
type Place struct {
	Kindergarten string
	Name         Name
	District     Name // empty while the register cannot tell it
	// Position is 1 for the next in turn.
	Position int
	// Level is how many others are of the same moment and benefit. Nobody knows who of them comes
	// first: the lot of an allocation decides, so the child is at Position at best, and at
	// Position + Level at worst.
	Level int
	// Given is why others have its places; nil: the child asked for none in an allocation.
	Given *Given
}

// refLength is how much of a child's blind index is enough among one family.
const refLength = 16

// childIndex is the same for all spellings of a personal number: a register or a
// queue that is taken over may write it in groups.
func (s *Service) childIndex(pin string) string {
	return s.Sealer.Index("preschool.child", strings.Map(func(r rune) rune {
		if value, is := digit(r); is {
			return rune('0' + value)
		} else if separates(r) {
			return -1
		}
		return r
	}, pin))
}

// turnIndex is what is kept of a turn, which may name a phone or a session.
func (s *Service) turnIndex(turn string) string { return s.Sealer.Index("preschool.turn", turn) }

func (s *Service) phoneIndex(phone string) string { return s.Sealer.Index("preschool.phone", phone) }

// problemDistrict is of a code that no district has.
var problemDistrict = problem.New(problem.NotFound, "problem.preschool_district")

// problemProve tells a caller to prove who they are first.
var problemProve = problem.New(problem.Unproven, "problem.preschool_prove")

// problemProveOffer is problemProve where an offer, or the phone that is told of one, is
// asked for: another line of the menu leads there.
var problemProveOffer = problem.New(problem.Unproven, "problem.preschool_prove_offer")

// Children lists the children that the proven citizen c.Subject may register.
func (s *Service) Children(ctx context.Context, c caller.Caller) ([]Child, error) {
	minors, err := s.minors(ctx, c)
	if err != nil {
		return nil, err
	}
	children := make([]Child, 0, len(minors))
	for _, m := range minors {
		number, err := s.numberOf(ctx, m.PIN)
		if err != nil {
			return nil, err
		}
		children = append(children, Child{Ref: s.childIndex(m.PIN)[:refLength], Name: m.Name, Born: m.Born, Number: number})
	}
	return children, nil
}

// minors asks the register of families for the children who are not too old.
func (s *Service) minors(ctx context.Context, c caller.Caller) ([]Minor, error) {
	if c.Subject == "" {
		return nil, problemProve
	}
	if err := Assurance.Admit(c, "children"); err != nil {
		return nil, err
	}
	all, err := s.family(ctx, c)
	if err != nil {
		return nil, err
	}
	p := s.rules.at(c.Now)
	minors := all[:0:0]
	for _, m := range all {
		if p.intake(c.Now)-p.cohort(m.Born) <= p.Oldest {
			minors = append(minors, m)
		}
	}
	return minors, nil
}

// family asks the register of families for the children of the citizen c.Subject, who may
// see that it was asked.
func (s *Service) family(ctx context.Context, c caller.Caller) ([]Minor, error) {
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("find the personal number of the citizen: %w", err)
	}
	all, err := s.Families.Children(ctx, pin, "preschool:"+c.Subject)
	if err != nil {
		return nil, fmt.Errorf("ask for the children of the citizen: %w", err)
	}
	err = s.Trail.Look(ctx, audit.Entry{
		At: c.Now, Actor: s.actor(c), Action: "preschool.children", Object: "sanaripaymak-service", Subject: c.Subject,
		Purpose: "the register of families was asked",
	})
	return all, err
}

// Districts lists the districts that have kindergartens, in order of their
// codes.
func (s *Service) Districts(ctx context.Context) ([]District, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	districts := []District{}
	for _, k := range all {
		if n := len(districts); n == 0 || districts[n-1].Code != k.District.Code {
			districts = append(districts, k.District)
		}
	}
	return districts, nil
}

// Kindergartens lists the kindergartens of a district, in order of their codes.
// Problem: preschool_district (none has this code; a district without
// kindergartens is not in the list of Districts either).
func (s *Service) Kindergartens(ctx context.Context, district string) ([]Kindergarten, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	found := []Kindergarten{}
	for _, k := range all {
		if k.District.Code == district {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil, problemDistrict
	}
	return found, nil
}
