package preschool

import (
	"context"
	"regexp"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
)

// Module makes the preschool queue from the registers of families and kindergartens.
func Module(e module.Env) (module.Module, error) {
	directory, err := FromRegister(e.Registries.Kindergartens, e.Clock)
	if err != nil {
		return module.Module{}, err
	}
	s, err := New(Deps{
		DB: e.DB, Families: FromAimak(e.Registries.Aimak), Directory: directory, Identity: e.Identity, Languages: e.Identity, Sealer: e.Sealer,
		Trail: e.Trail, Texts: e.Texts, Limiter: e.Limiter, Random: e.Random, Now: e.Clock,
	})
	if err != nil {
		return module.Module{}, err
	}
	return module.Module{
		Name: name, Service: s, Flow: s.Flow(), Personal: holder{s}, Ties: []identity.Tie{s}, Check: func() module.Check { return NewCheck(e.Audit, e.Sealer) }, Sandbox: s.fillSandbox,
		Chores: []module.Chore{
			{Name: "close missed offers", Do: func(ctx context.Context) error { _, err := s.Expire(ctx); return err }},
			{Name: "make the offers of an allocation", Do: s.Proceed},
		},
		Rehearsal: module.Rehearsal{
			Typed:  map[string][]string{"preschool.ask_number": {"{preschool.done}", "47123456789", "47"}},
			Shown:  map[string]*regexp.Regexp{"preschool.done": regexp.MustCompile(`\d{11}`)},
			Texted: []string{"кезек {preschool.done}", "очередь"},
			// The way out of an offer is gone both ways: by one who accepts nothing, then,
			// with a second offer, by one who may.
			Acts: []module.Act{
				{Name: "offered 1", Do: s.rehearseOffer(0), Avoid: "preschool.accept"},
				{Name: "offered 2", Do: s.rehearseOffer(1)},
			},
		},
	}, nil
}

// rehearseOffer offers the child whose registration was shown a place: in the first or
// in the second kindergarten that was chosen, or in the only one again.
func (s *Service) rehearseOffer(which int) func(context.Context, map[string]string) error {
	return func(ctx context.Context, shown map[string]string) error {
		number := shown["preschool.done"]
		found, err := s.Position(ctx, caller.Caller{Now: s.Now()}, number)
		if err != nil {
			return err
		}
		_, err = s.OfferOutOfTurn(ctx, staff.Act{Actor: "console"}, number, found.Places[which%len(found.Places)].Kindergarten)
		return err
	}
}
