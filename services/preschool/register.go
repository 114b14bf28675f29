package preschool

import (
	"context"
	_ "embed" // the districts
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/registry"
)

// Families is the register that knows a citizen's children.
type Families interface {
	// Children lists the minor children of the family of a personal number; issue
	// is the reference that the register keeps as the reason of the call.
	Children(ctx context.Context, pin, issue string) ([]Minor, error)
}

// Directory is the register of kindergartens.
type Directory interface {
	Kindergartens(ctx context.Context) ([]Kindergarten, error)
}

// Minor is a child as the register of families reports it.
type Minor struct {
	// PIN is the child's personal number: it is only ever stored sealed.
	PIN  string    `json:"pin"`
	Name string    `json:"name"`
	Born time.Time `json:"born"`
}

// list gives all kindergartens ordered by district and code.
func (s *Service) list(ctx context.Context) ([]Kindergarten, error) {
	all, err := s.Directory.Kindergartens(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the kindergartens: %w", err)
	}
	s.known.Store(knownOf(all))
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Kindergarten) int {
		if byDistrict := strings.Compare(a.District.Code, b.District.Code); byDistrict != 0 {
			return byDistrict
		}
		return strings.Compare(a.Code, b.Code)
	})
	return all, nil
}

// district is the name of a kindergarten's district, as far as the register told it
// since the start: names of kindergartens repeat between districts.
func (s *Service) district(kindergarten string) Name {
	if known := s.known.Load(); known != nil {
		return known.districts[kindergarten]
	}
	return Name{}
}

// known is what the register of kindergartens told last.
type known struct {
	districts map[string]Name // of the kindergartens, by their codes
	named     map[string]int  // how many bear a name, in each language
}

func knownOf(all []Kindergarten) *known {
	k := &known{districts: make(map[string]Name, len(all)), named: make(map[string]int, len(all))}
	for _, one := range all {
		k.districts[one.Code] = one.District.Name
		k.named[one.Name.KY]++
		if one.Name.RU != one.Name.KY {
			k.named[one.Name.RU]++
		}
	}
	return k
}

// title is the name of an offer's kindergarten; with its district where the register knows
// another one of the name: who accepts a place must know which, whatever else is listed.
func (s *Service) title(o Offer, loc locales.Locale) string {
	name, bearers := o.Name.In(loc), 0
	if known := s.known.Load(); known != nil {
		bearers = known.named[name]
	}
	return toldApart(name, s.district(o.Kindergarten).In(loc), bearers)
}

// toldApart is a kindergarten's name, with its district where several bear the name.
func toldApart(name, district string, bearers int) string {
	if bearers < 2 || district == "" {
		return name
	}
	return name + ", " + district
}

// learnDistricts asks the register for the districts if it never told them. A register
// that does not answer keeps nobody from their place in the queue.
func (s *Service) learnDistricts(ctx context.Context) {
	if s.known.Load() == nil {
		_, _ = s.list(ctx)
	}
}

// Aimak is Sanarip Aimak's list of a household. registry.Aimak is one.
type Aimak interface {
	Family(ctx context.Context, call registry.Call, pin string) ([]registry.Member, bool, error)
}

// aimakFamilies adapts Sanarip Aimak.
type aimakFamilies struct{ aimak Aimak }

// FromAimak gives the families that Sanarip Aimak knows.
func FromAimak(aimak Aimak) Families { return aimakFamilies{aimak} }

// Children implements Families. The call is made in the citizen's own name.
func (f aimakFamilies) Children(ctx context.Context, pin, issue string) ([]Minor, error) {
	members, _, err := f.aimak.Family(ctx, registry.Call{UserID: "KG" + pin, Issue: issue}, pin)
	if err != nil {
		return nil, err
	}
	minors := []Minor{}
	for _, m := range registry.Children(members) {
		minors = append(minors, Minor{PIN: m.PIN, Name: m.Name, Born: m.BirthDate})
	}
	return minors, nil
}

// Lister is the register that lists the kindergartens of a district.
// registry.Kindergartens is one.
type Lister interface {
	List(ctx context.Context, call registry.Call, district string) ([]registry.Kindergarten, error)
}

//go:embed districts.toml
var districtsFile string

// directoryAge is how old the list of kindergartens may be. Names hardly
// change; a seat that was freed shows up this much later.
const directoryAge = time.Minute

// registerDirectory adapts the register of kindergartens and keeps its answer
// for a while: one screen of a conversation must not cost five calls.
type registerDirectory struct {
	lister    Lister
	now       func() time.Time
	districts []District

	mu   sync.Mutex
	kept []Kindergarten
	asOf time.Time
}

// FromRegister gives the kindergartens of the districts in districts.toml.
func FromRegister(lister Lister, now func() time.Time) (Directory, error) {
	var file struct {
		District []struct {
			Code   string `toml:"code"`
			NameKY string `toml:"name_ky"`
			NameRU string `toml:"name_ru"`
		} `toml:"district"`
	}
	if _, err := toml.Decode(districtsFile, &file); err != nil {
		return nil, fmt.Errorf("read the districts: %w", err)
	}
	d := &registerDirectory{lister: lister, now: now}
	for _, row := range file.District {
		d.districts = append(d.districts, District{Code: row.Code, Name: Name{KY: row.NameKY, RU: row.NameRU}})
	}
	return d, nil
}

// Kindergartens implements Directory.
func (d *registerDirectory) Kindergartens(ctx context.Context) ([]Kindergarten, error) {
	d.mu.Lock()
	kept, fresh := d.kept, d.now().Sub(d.asOf) < directoryAge
	d.mu.Unlock()
	if kept != nil && fresh {
		return kept, nil
	}
	all := []Kindergarten{}
	for _, district := range d.districts {
		// Nobody's data is asked for, so the call is in the service's own name.
		list, err := d.lister.List(ctx, registry.Call{UserID: "eshik", Issue: "preschool:directory"}, district.Code)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			all = append(all, kindergartenOf(k, district))
		}
	}
	d.mu.Lock()
	d.kept, d.asOf = all, d.now()
	d.mu.Unlock()
	return all, nil
}

func kindergartenOf(k registry.Kindergarten, district District) Kindergarten {
	free := map[int]int{}
	for _, group := range k.Groups {
		free[group.AgeFrom] += group.Free
	}
	return Kindergarten{Code: k.ID, Name: Name{KY: k.NameKY, RU: k.NameRU}, District: district, Free: free}
}
