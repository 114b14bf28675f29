package flowcheck

import (
	"context"
	"io/fs"
	"os"
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
	if !c.reached["patent.done"] || office.issued.Load() == 0 || !strings.Contains(c.document(), "patent_confirm") {
		t.Errorf("reached: %v, issued: %d", c.reached, office.issued.Load())
	}
	if module.Of[*patent.Service](c.app.Modules).Register != office {
		t.Error("the service is not found by its type")
	}
}

// TestNothingIsMissing: a nil dependency is refused at the start, by its name.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := module.Build(module.Env{}); err == nil || !strings.Contains(err.Error(), "no DB") {
		t.Errorf("an empty environment: %v", err)
	}
}
