package citizen

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Audience are the citizens, by their phones' tokens. check says whose a token is; index
// makes a pseudonym of what identifies a request.
func Audience(
	check func(ctx context.Context, token string) (api.Principal, error), languages api.Languages, index func(turn string) string, now func() time.Time,
) api.Audience {
	return api.Audience{
		Channel: caller.REST, Gateway: "rest", Authenticate: api.Bearer(check),
		Levels: map[string]api.Level{
			"phone": nil,
			"proven": func(p api.Principal) error {
				if p.Subject == "" {
					return problem.New(problem.Unproven, "problem.level_proven")
				}
				return nil
			},
		},
		Challenge: api.BearerChallenge("prove who you are: POST /v1/proofs"),
		Languages: languages, Operator: caller.Operator, Index: index, Now: now,
	}
}
