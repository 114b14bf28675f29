package certificate

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// CivilRegister is the register of civil status; *registry.Persons is one.
type CivilRegister interface {
	Civil(ctx context.Context, call registry.Call, pin string) (registry.CivilPerson, bool, error)
	Birth(ctx context.Context, call registry.Call, pin string) (registry.BirthAct, bool, error)
}

var (
	errCivilAway    = problem.New(problem.Unavailable, "problem.certificate_away_civil")
	errCivilUnknown = problem.New(problem.NotFound, "problem.certificate_unknown_civil")
	errNumberBarred = problem.New(problem.Conflict, "problem.certificate_barred")
	errOnPaper      = problem.New(problem.NotFound, "problem.certificate_birth_paper")
)

// birth is what somebody's record of birth says.
func birth(r Registers) fetch {
	return func(ctx context.Context, q Question) (Record, bool, error) {
		holder, _, err := r.holder(ctx, q)
		if err != nil {
			return Record{}, false, err
		}
		act, found, err := r.Civil.Birth(ctx, call(q), q.PIN)
		if err == nil && !found {
			err = errOnPaper
		}
		if err != nil {
			return Record{}, false, because(err, errCivilAway)
		}
		holder.Name = named(act.Child) // as the record has it: a name that was changed since is not of it
		return Record{Holder: holder, Facts: []string{
			act.Sex, act.Document, isoDay(act.IssuedAt), act.Office, named(act.Father), named(act.Mother),
		}}, true, nil
	}
}

func named(p registry.ActPerson) string { return joined(" ", p.Surname, p.Name, p.Patronymic) }

// assignment is that a personal number was given to somebody: the one certificate that has it.
func assignment(r Registers) fetch {
	return func(ctx context.Context, q Question) (Record, bool, error) {
		holder, person, err := r.holder(ctx, q)
		if err != nil {
			return Record{}, false, err
		}
		return Record{Holder: holder, Facts: []string{person.PIN, isoDay(person.Assigned)}}, true, nil
	}
}

// holder is whom a certificate is about that is not of where they live. Who has died, and a number
// that is blocked, is refused.
func (r Registers) holder(ctx context.Context, q Question) (Person, registry.CivilPerson, error) {
	p, found, err := r.Civil.Civil(ctx, call(q), q.PIN)
	switch {
	case err != nil:
		return Person{}, p, because(err, errCivilAway)
	case !found:
		return Person{}, p, errCivilUnknown
	case p.Died || p.Blocked:
		return Person{}, p, errNumberBarred
	}
	return Person{Name: joined(" ", p.Surname, p.Name, p.Patronymic), Born: isoDay(p.BirthDate)}, p, nil
}

// listed makes the fetch of a kind whose record is a list that one register has of somebody: list
// gives it, and away is told where the register does not answer.
func listed(r Registers, list func(ctx context.Context, call registry.Call, pin string) ([][]string, error), away *problem.Error) fetch {
	return func(ctx context.Context, q Question) (Record, bool, error) {
		holder, _, err := r.holder(ctx, q)
		if err != nil {
			return Record{}, false, err
		}
		rows, err := list(ctx, call(q), q.PIN)
		if err != nil {
			return Record{}, false, because(err, away)
		}
		return Record{Holder: holder, Rows: rows}, true, nil
	}
}

// isoDay writes a day as records have it; "" for none.
func isoDay(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}
