package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// SchoolRegister is the register of who learns where; *registry.Schools is one.
type SchoolRegister interface {
	Enrolments(ctx context.Context, call registry.Call, pin string) ([]registry.Enrolment, bool, error)
}

var (
	errSchoolsAway = problem.New(problem.Unavailable, "problem.certificate_away_schools")
	errNoStudent   = problem.New(problem.NotFound, "problem.certificate_no_student")
)

// student is where somebody learns. Who learns nowhere gets none.
func student(r Registers) fetch {
	if r.Schools == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		list, _, err := r.Schools.Enrolments(ctx, call, pin)
		if err == nil && len(list) == 0 {
			err = errNoStudent
		}
		var rows [][]string
		for _, e := range list {
			rows = append(rows, []string{e.NameKY, e.NameRU, e.Stage, e.Course, e.From})
		}
		return rows, err
	}, errSchoolsAway)
}
