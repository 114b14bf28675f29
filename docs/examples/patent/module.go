package patent

import "github.com/eshik-kg/eshik/platform/module"

// Module makes the service. A real one takes its register from the environment's
// registries; this one's is given.
func Module(register Register) module.Constructor {
	return module.Constructor{Make: func(module.Env) (module.Module, error) {
		s := &Service{Register: register}
		return module.Module{
			Name: "patent", Service: s, Flow: s.Flow(),
			Rehearsal: module.Rehearsal{
				Typed:  map[string][]string{"patent.person": {"11503198800011", "12"}},
				Texted: []string{"патент"},
			},
		}, nil
	}}
}
