package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// KindergartenService lists kindergartens. Unverified: no public description
// of the service was found.
const KindergartenService = "central-server/GOV/70000060/balabakcha-service/kindergartens"

// Kindergartens asks the register of kindergartens.
type Kindergartens struct {
	rest    *REST
	service ServiceID
}

// NewKindergartens makes the client; an empty service is KindergartenService.
func NewKindergartens(rest *REST, service string) (*Kindergartens, error) {
	id, err := ParseService(or(service, KindergartenService))
	if err != nil {
		return nil, err
	}
	return &Kindergartens{rest: rest, service: id}, nil
}

// Kindergarten is one kindergarten with its groups.
type Kindergarten struct {
	ID     string `json:"id"`
	NameKY string `json:"nameKy"`
	NameRU string `json:"nameRu"`
	// District is the district's SOATE code, 14 digits.
	District string              `json:"district"`
	Address  string              `json:"address"`
	Groups   []KindergartenGroup `json:"groups"`
}

// KindergartenGroup is an age group in one language.
type KindergartenGroup struct {
	ID string `json:"id"`
	// AgeFrom and AgeTo are in full years, AgeTo excluded: 3 and 4.
	AgeFrom int `json:"ageFrom"`
	AgeTo   int `json:"ageTo"`
	// Language is the language of the group: ky or ru.
	Language string `json:"language"`
	Places   int    `json:"places"`
	Free     int    `json:"free"`
}

// List gives the kindergartens of a district by its SOATE code; an unknown
// district has none.
func (k *Kindergartens) List(ctx context.Context, call Call, district string) ([]Kindergarten, error) {
	var out struct {
		Kindergartens *[]Kindergarten `json:"kindergartens"`
	}
	status, err := k.rest.Do(ctx, call, Request{
		Method: http.MethodGet, Service: k.service, Query: url.Values{"district": {district}},
	}, nil, &out)
	if err != nil {
		return nil, fmt.Errorf("listing kindergartens: %w", err)
	}
	if status == http.StatusNoContent {
		return nil, nil
	}
	if out.Kindergartens == nil || !wholeKindergartens(*out.Kindergartens) {
		e := schemaError(k.service.String(), status, "no list, or a kindergarten without id, name or places")
		return nil, fmt.Errorf("listing kindergartens: %w", e.asProblem())
	}
	return *out.Kindergartens, nil
}

func wholeKindergartens(list []Kindergarten) bool {
	for _, k := range list {
		if k.ID == "" || k.NameKY == "" || k.NameRU == "" {
			return false
		}
		for _, g := range k.Groups {
			if g.ID == "" || g.AgeFrom >= g.AgeTo || g.Free < 0 || g.Free > g.Places {
				return false
			}
		}
	}
	return true
}
