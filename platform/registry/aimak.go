package registry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// AimakService is Sanarip Aimak's subsystem. Source: public
// integrations at Tunduk. It takes the personal number in the path only, so X-Road logs it: there is no other way.
const AimakService = "central-server/GOV/70000050/sanaripaymak-service"

// Aimak asks Sanarip Aimak, the register that local self-government keeps.
type Aimak struct {
	rest    *REST
	service ServiceID
}

// NewAimak makes the client; an empty service is AimakService.
func NewAimak(rest *REST, service string) (*Aimak, error) {
	id, err := ParseService(or(service, AimakService))
	if err != nil {
		return nil, err
	}
	return &Aimak{rest: rest, service: id}, nil
}

// Address is where a person lives in fact. The names of the fields are
// unverified.
type Address struct {
	Surname    string `json:"surname"`
	Name       string `json:"name"`
	Patronymic string `json:"patronymic"`
	Region     string `json:"region"`
	District   string `json:"district"`
	Locality   string `json:"locality"`
	Street     string `json:"street"`
	House      string `json:"house"`
	Flat       string `json:"flat"`
	// Since is the day of registration, YYYY-MM-DD.
	Since string `json:"registrationDate"`
}

// AddressFact gives the person's address; found is false for an unknown PIN.
func (a *Aimak) AddressFact(ctx context.Context, call Call, pin string) (address Address, found bool, err error) {
	status, err := a.get(ctx, call, "address-fact", pin, &address)
	if err != nil || status == http.StatusNoContent {
		return Address{}, false, err
	}
	if address.Surname == "" || address.Locality == "" {
		return Address{}, false, a.misfit("address-fact", "an address without a name or a place")
	}
	return address, true, nil
}

// Member is a member of a household. The names of the fields are unverified,
// but for `members` itself.
type Member struct {
	PIN        string `json:"pin"`
	Surname    string `json:"surname"`
	Name       string `json:"name"`
	Patronymic string `json:"patronymic"`
	// Relation is the relation to the person asked about, in the register's own
	// code: RelationSelf, spouse, RelationChild, parent.
	Relation string `json:"relation"`
	// BirthDate is in UTC the midnight of the day.
	BirthDate time.Time `json:"-"`
	Born      string    `json:"birthDate"`
}

// The codes of a Relation that decide something.
const (
	RelationSelf  = "self"
	RelationChild = "child"
)

// Children are the children of the person asked about among the members of the household,
// each once: who asks for them does so as their parent.
func Children(members []Member) []Member {
	children := []Member{}
	for _, m := range members {
		listed := slices.ContainsFunc(children, func(c Member) bool { return c.PIN == m.PIN })
		if m.Relation == RelationChild && !listed {
			children = append(children, m)
		}
	}
	return children
}

// codeNoFamily is the code in the body when a person has no family on record.
// Source: public client code; unverified.
const codeNoFamily = 405

// Family lists the members of the person's household, the person among them;
// found is false for an unknown PIN, and a person on record alone is an empty list.
func (a *Aimak) Family(ctx context.Context, call Call, pin string) (members []Member, found bool, err error) {
	var out struct {
		Code    int       `json:"code"`
		Members *[]Member `json:"members"`
	}
	status, err := a.get(ctx, call, "family-members", pin, &out)
	switch {
	case err != nil || status == http.StatusNoContent:
		return nil, false, err
	case out.Code == codeNoFamily:
		return nil, true, nil
	case out.Members == nil:
		return nil, false, a.misfit("family-members", "no list of members")
	}
	for i := range *out.Members {
		m := &(*out.Members)[i]
		born, err := time.Parse(time.DateOnly, m.Born)
		if err != nil || m.PIN == "" || m.Surname == "" {
			return nil, false, a.misfit("family-members", "a member without PIN, name or birth date")
		}
		m.BirthDate = born
	}
	return *out.Members, true, nil
}

func (a *Aimak) get(ctx context.Context, call Call, service, pin string, out any) (int, error) {
	status, err := a.rest.Do(ctx, call, Request{Method: http.MethodGet, Service: a.named(service), Path: []string{pin}}, nil, out)
	if err != nil {
		return status, fmt.Errorf("asking Sanarip Aimak %s: %w", service, err)
	}
	return status, nil
}

func (a *Aimak) named(service string) ServiceID {
	id := a.service
	id.Service = service
	return id
}

func (a *Aimak) misfit(service, what string) error {
	return fmt.Errorf("asking Sanarip Aimak: %w", schemaError(a.named(service).String(), 200, what).asProblem())
}
