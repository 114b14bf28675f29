package certificate

import (
	"context"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/registry"
)

// Aimak is Sanarip Aimak as the typed client gives it; *registry.Aimak is one.
type Aimak interface {
	AddressFact(ctx context.Context, call registry.Call, pin string) (registry.Address, bool, error)
	Family(ctx context.Context, call registry.Call, pin string) ([]registry.Member, bool, error)
}

// Civil is the register of civil status; *registry.Persons is one.
type Civil interface {
	Barred(ctx context.Context, call registry.Call, pin string) (died, blocked bool, err error)
}

// FromAimak makes a Register of Sanarip Aimak, and of that of civil status.
func FromAimak(aimak Aimak, civil Civil) Register { return residents{aimak, civil} }

// residents implements Register.
type residents struct {
	aimak Aimak
	civil Civil
}

// Residence implements Register. The register of addresses gives no birth date:
// it is read from the personal number.
func (r residents) Residence(ctx context.Context, q Question) (Residence, bool, error) {
	a, found, err := r.aimak.AddressFact(ctx, call(q), q.PIN)
	if err != nil || !found {
		return Residence{}, false, err
	}
	return Residence{
		Person:  Person{Name: joined(" ", a.Surname, a.Name, a.Patronymic), Born: bornByPIN(q.PIN)},
		Address: joined(", ", a.Region, a.District, a.Locality, a.Street, a.House, a.Flat),
	}, true, nil
}

// Family implements Register. The person asked about is left out: the
// certificate names its holder apart.
func (r residents) Family(ctx context.Context, q Question) ([]Member, bool, error) {
	all, found, err := r.aimak.Family(ctx, call(q), q.PIN)
	if err != nil || !found {
		return nil, false, err
	}
	members := make([]Member, 0, len(all))
	for _, m := range all {
		if m.PIN == q.PIN || m.Relation == registry.RelationSelf {
			continue
		}
		members = append(members, Member{
			Person:   Person{Name: joined(" ", m.Surname, m.Name, m.Patronymic), Born: m.BirthDate.Format(time.DateOnly)},
			Relation: m.Relation,
		})
	}
	return members, true, nil
}

// Children implements Register.
func (r residents) Children(ctx context.Context, q Question) ([]Minor, error) {
	all, _, err := r.aimak.Family(ctx, call(q), q.PIN)
	if err != nil {
		return nil, err
	}
	children := registry.Children(all)
	minors := make([]Minor, len(children))
	for i, m := range children {
		minors[i] = Minor{PIN: m.PIN, Surname: m.Surname, Name: m.Name, Born: m.BirthDate}
	}
	return minors, nil
}

// Barred implements Register.
func (r residents) Barred(ctx context.Context, q Question) (died, blocked bool, err error) {
	return r.civil.Barred(ctx, call(q), q.PIN)
}

// call says who asks, and for which certificate.
func call(q Question) registry.Call {
	return registry.Call{UserID: "KG" + q.By, Issue: q.Issue}
}

// joined joins the parts that are not empty.
func joined(separator string, parts ...string) string {
	var out []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, separator)
}

// bornByPIN is the birth date that a personal number holds after its first
// digit, as DDMMYYYY (domain facts: weakly sourced), or "" where that is no day.
func bornByPIN(pin string) string {
	if len(pin) != 14 {
		return ""
	}
	born, err := time.Parse("02012006", pin[1:9])
	if err != nil {
		return ""
	}
	return born.Format(time.DateOnly)
}
