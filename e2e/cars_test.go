package e2e

import (
	"net/http"
	"testing"
)

// carsAndPhoto: the owner links a car and looks at a photo, which no cache keeps; neither is
// for a car of somebody else.
func carsAndPhoto(t *testing.T, d *door, token string) {
	t.Helper()
	type car struct {
		ID, Plate string
		Here      bool
	}
	var linked, again car
	var p fault
	if status := d.json(http.MethodPost, "/v1/cars", token, map[string]string{"plate": "01kg123авс"}, &linked); status != http.StatusOK || !linked.Here {
		t.Fatalf("link a car: %d %+v", status, linked)
	}
	d.json(http.MethodPost, "/v1/cars", token, map[string]string{"plate": linked.Plate}, &again)
	var list []car
	if d.json(http.MethodGet, "/v1/cars", token, nil, &list); len(list) != 1 || list[0] != linked || again != linked {
		t.Errorf("the cars: %+v, %+v", list, again)
	}
	if status := d.json(http.MethodPost, "/v1/cars", token, map[string]string{"plate": "01KG777AAA"}, &p); status != http.StatusForbidden || p.Code != "problem.registry_not_owner" {
		t.Errorf("another's car: %d %+v", status, p)
	}
	if status := d.json(http.MethodDelete, "/v1/cars/"+linked.ID, token, nil, nil); status != http.StatusNoContent {
		t.Errorf("unlink a car: %d", status)
	}
	photo := func(plate string) (*http.Response, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+"/v1/fines/photo?plate="+plate+"&ref=7900000000001", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := d.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(d.read(response))
	}
	response, body := photo(linked.Plate)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "image/jpeg" || response.Header.Get("Cache-Control") != "no-store" ||
		http.DetectContentType([]byte(body)) != "image/jpeg" {
		t.Errorf("the photo: %d %v, %d bytes", response.StatusCode, response.Header, len(body))
	}
	if response, _ := photo("01KG777AAA"); response.StatusCode != http.StatusForbidden {
		t.Errorf("the photo of another's car: %d", response.StatusCode)
	}
}
