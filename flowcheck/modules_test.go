package flowcheck

import (
	"context"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/docs/examples/patent"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
)

// taxOffice is the example's register.
type taxOffice struct{ issued atomic.Int64 }

func (*taxOffice) Activities(context.Context) ([]patent.Activity, error) {
	return []patent.Activity{{Code: "taxi", Name: map[locales.Locale]string{locales.KY: "Такси", locales.RU: "Такси"}, Som: 2100}}, nil
}

func (*taxOffice) Person(_ context.Context, number string) (string, error) {
	if number != "11503198800011" {
		return "", problem.New(problem.NotFound, "problem.patent_person")
	}
	return "person-7", nil
}

func (o *taxOffice) Issue(context.Context, string, string, string) (patent.Patent, error) {
	return patent.Patent{Number: strconv.FormatInt(o.issued.Add(1), 10), Until: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}, nil
}

// TestAServiceIsAModule adds the example of the guide to the list, and to nothing else:
// its screens are in the conversation, proved and fitting as ours are.
func TestAServiceIsAModule(t *testing.T) {
	t.Parallel()
	office := &taxOffice{}
	added := planted{modules: []module.Constructor{patent.Module(office)}, texts: []fs.FS{os.DirFS("../docs/examples/patent")}}
	c, err := crawlAll(t.Context(), channels[0], locales.KY, added)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range c.faults {
		t.Error(fault)
	}
	if !c.reached["patent.done"] || office.issued.Load() == 0 || !strings.Contains(c.drawing(), "patent_confirm") {
		t.Errorf("reached: %v, issued: %d", c.reached, office.issued.Load())
	}
	if module.Of[*patent.Service](c.app.Modules).Register != office {
		t.Error("the service is not found by its type")
	}
}

// TestWhatAModuleForgets: a walk that cannot go on in a new service says what is to be added
// to its Rehearsal, and what stands there in vain.
func TestWhatAModuleForgets(t *testing.T) {
	t.Parallel()
	made := patent.Module(&taxOffice{})
	whole := made.Make
	made.Make = func(e module.Env) (module.Module, error) {
		m, err := whole(e)
		m.Rehearsal = module.Rehearsal{
			Typed: map[string][]string{"patent.nowhere": {"12"}}, Shown: map[string]*regexp.Regexp{"patent.kind": regexp.MustCompile(`no such word`)},
		}
		return m, err
	}
	added := planted{modules: []module.Constructor{made}, texts: []fs.FS{os.DirFS("../docs/examples/patent")}}
	c, err := crawlAll(t.Context(), channels[0], locales.KY, added)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(c.faults, "\n")
	for _, want := range []string{
		`the node patent.person asks, and nothing is known to be typed there: add answers, right and wrong, to Rehearsal.Typed["patent.person"] of the module patent`,
		"nobody came to the screen of patent.done: ", "Rehearsal.Texted of the module patent led there: add one",
		"nobody came to the action patent.issue: ", "the module patent has patent.nowhere in its Rehearsal, and no such node",
		"no screen of patent.kind showed what Rehearsal.Shown of the module patent looks for there: no such word",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if len(c.faults) != 6 {
		t.Errorf("%d faults: %s", len(c.faults), all)
	}
}

// TestNothingIsMissing: a nil dependency is refused at the start, by its name.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := module.Build(module.Env{}); err == nil || !strings.Contains(err.Error(), "no DB") {
		t.Errorf("an empty environment: %v", err)
	}
}
