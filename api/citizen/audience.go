package citizen

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// errUnproven is where it is not known who a person is.
var errUnproven = problem.New(problem.Unproven, "problem.level_proven")

// Audience are the citizens, by their phones' tokens. check says whose a token is, stepUp
// makes who is known weakly known strongly where that takes no question; index makes a
// pseudonym of what identifies a request.
func Audience(
	check func(ctx context.Context, token string) (api.Principal, error), stepUp api.Level, languages api.Languages, index func(turn string) string, now func() time.Time,
) api.Audience {
	return api.Audience{
		Channel: caller.REST, Gateway: "rest", Authenticate: api.Bearer(check),
		Levels: map[string]api.Level{
			"phone": nil,
			"proven": func(_ context.Context, p api.Principal) (api.Principal, error) {
				if p.Subject == "" {
					return p, errUnproven
				}
				return p, nil
			},
			"strong": func(ctx context.Context, p api.Principal) (api.Principal, error) {
				switch {
				case p.Subject == "":
					return p, errUnproven
				case p.Level < caller.LevelStrong:
					return stepUp(ctx, p)
				}
				return p, nil
			},
		},
		Challenge: api.BearerChallenge("prove who you are: POST /v1/proofs"),
		Languages: languages, Operator: caller.Operator, Index: index, Now: now,
	}
}
