package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// refused is a registry's own error.
func refused(message string) map[string]string { return map[string]string{"message": message} }

// onePIN gives the only path part of a GET.
func onePIN(call restCall) (string, bool) {
	return append(call.path, "")[0], call.method == http.MethodGet && len(call.path) == 1
}

// addressFact is Sanarip Aimak's place of residence; 204: unknown PIN.
func (w *World) addressFact(call restCall) (int, any) {
	pin, ok := onePIN(call)
	if !ok {
		return http.StatusBadRequest, refused("GET address-fact/{pin}")
	}
	c, ok := w.citizen(pin)
	if !ok {
		return http.StatusNoContent, nil
	}
	return http.StatusOK, map[string]string{
		"pin": c.pin, "surname": c.surname, "name": c.name, "patronymic": c.patronymic,
		"region": c.home.region, "district": c.home.district, "locality": c.home.locality,
		"street": c.home.street, "house": c.home.house, "flat": c.home.flat, "registrationDate": c.home.since,
	}
}

// familyMembers is Sanarip Aimak's household; 204: unknown PIN, and code 405 in
// the body: nobody on record with them.
func (w *World) familyMembers(call restCall) (int, any) {
	pin, ok := onePIN(call)
	if !ok {
		return http.StatusBadRequest, refused("GET family-members/{pin}")
	}
	c, ok := w.citizen(pin)
	if !ok {
		return http.StatusNoContent, nil
	}
	if len(c.family) == 0 {
		return http.StatusOK, map[string]any{"code": 405, "message": "no family on record"}
	}
	members := make([]map[string]string, 0, len(c.family))
	for _, m := range c.family {
		members = append(members, map[string]string{
			"pin": m.pin, "surname": m.surname, "name": m.name, "patronymic": m.patronymic,
			"relation": m.relation, "birthDate": m.born,
		})
	}
	return http.StatusOK, map[string]any{"pin": c.pin, "members": members}
}

// recordRequest is a criminal record that somebody waits for.
type recordRequest struct{ ready time.Time }

// recordTakes is how long the criminal record takes in the sandbox.
const recordTakes = 20 * time.Second

// criminalRecord takes a request (POST {"pin"}: 202 with its id) and gives the
// record when its time has come (GET /{id}: 202 until then).
func (w *World) criminalRecord(call restCall) (int, any) {
	if call.method == http.MethodGet && len(call.path) == 1 {
		w.mu.Lock()
		request, ok := w.requests[call.path[0]]
		w.mu.Unlock()
		switch {
		case !ok:
			return http.StatusNotFound, refused("no such request")
		case w.now().Before(request.ready):
			return http.StatusAccepted, map[string]any{"requestId": call.path[0], "ready": false}
		}
		return http.StatusOK, map[string]any{"requestId": call.path[0], "ready": true, "convictions": []string{}}
	}
	var in struct {
		PIN string `json:"pin"`
	}
	if call.method != http.MethodPost || json.Unmarshal(call.body, &in) != nil || in.PIN == "" {
		return http.StatusBadRequest, refused(`POST {"pin"} or GET /{requestId}`)
	}
	if _, ok := w.citizen(in.PIN); !ok {
		return http.StatusNoContent, nil
	}
	id := uuid.NewString()
	w.mu.Lock()
	w.requests[id] = recordRequest{ready: w.now().Add(recordTakes)}
	w.mu.Unlock()
	return http.StatusAccepted, map[string]any{"requestId": id, "ready": false}
}

// marriageCertificate always refuses, with a reason.
func (w *World) marriageCertificate(restCall) (int, any) {
	return http.StatusConflict, map[string]string{
		"code": "ARCHIVE_ONLY", "message": "The record is on paper: it has to be asked for at the registry office.",
	}
}

// kindergartens lists a district's kindergartens (GET ?district=SOATE); without
// a district, all of them.
func (w *World) kindergartens(call restCall) (int, any) {
	if call.method != http.MethodGet || len(call.path) != 0 {
		return http.StatusBadRequest, refused("GET kindergartens?district=…")
	}
	wanted, list := call.query.Get("district"), []map[string]any{}
	for number := 1; number <= bishkekKindergartens+oshKindergartens; number++ {
		if k := kindergarten(number); wanted == "" || k["district"] == wanted {
			list = append(list, k)
		}
	}
	return http.StatusOK, map[string]any{"kindergartens": list}
}

const (
	bishkekKindergartens = 40
	oshKindergartens     = 8
	oshCity              = "41721000000000"
)

// bishkekDistricts are SOATE codes. Source: domain/bishkek_districts.csv.
func bishkekDistricts() []string {
	return []string{"41711201000000", "41711202000000", "41711203000000", "41711204000000"}
}

// kindergarten is the number-th kindergarten; Osh comes after Bishkek.
func kindergarten(number int) map[string]any {
	names := []string{"Күнөстүү", "Бөбөк", "Айгүл", "Ак шоола", "Нурай", "Балдырган", "Керемет", "Алтын бешик"}
	district, city, shown := bishkekDistricts()[(number-1)%4], "Бишкек", number
	if number > bishkekKindergartens {
		district, city, shown = oshCity, "Ош", number-bishkekKindergartens
	}
	name := mixed(uint64(number)) % uint64(len(names))
	groups := []map[string]any{}
	for age := 2; age < 7; age++ {
		places := 30
		if age == 2 {
			places = 25 // Source: domain/FACTS.md, groups of the youngest
		}
		language := "ky"
		if (number+age)%3 == 0 {
			language = "ru"
		}
		free := mixed(uint64(number*10+age)) % 4
		if number == 1 {
			free = 2 // the guides and the tests offer places in K001
		}
		groups = append(groups, map[string]any{
			"id": fmt.Sprintf("K%03d-%d", number, age), "ageFrom": age, "ageTo": age + 1,
			"language": language, "places": places, "free": free,
		})
	}
	proper := fmt.Sprintf("№%d «%s»", shown, names[name]) // as on its door, in either language
	return map[string]any{
		"id":     fmt.Sprintf("K%03d", number),
		"nameKy": proper, "nameRu": proper,
		"district": district, "address": city, "groups": groups,
	}
}
