package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// upload sends a file as the body of a request, and gives the status and the answer.
func (d *door) upload(path, token, kind string, content []byte, headers ...string) (int, string, error) {
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, bytes.NewReader(content))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	return response.StatusCode, string(d.read(response)), nil
}

// aFile is a PDF, another for each number.
func aFile(n int) []byte { return fmt.Appendf(nil, "%%PDF-1.7\n%% %d\n%%%%EOF\n", n) }

const fileBody = "application/octet-stream"

// TestFilesOfAnAppeal: over the real server a person adds a photo, reads it again, and an officer is
// given it, which the person can read; what is no file of ours is refused in the person's language, and
// no other address takes so much. Of two who are killed at the last free place one has it.
func TestFilesOfAnAppeal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		token := appOfAigul(d)
		var appeal struct {
			Number string
			Files  []struct{ ID, Kind string }
		}
		in := map[string]string{"plate": "01KG123ABC", "ref": "7900000000001", "ground": "sign", "text": "Белги бактын артында."}
		if status := d.json(http.MethodPost, "/v1/fines/appeals", token, in, &appeal); status != http.StatusCreated {
			t.Fatalf("appeal: %d", status)
		}
		path := "/v1/fines/appeals/" + appeal.Number
		var photo bytes.Buffer
		if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 640, 480)), nil); err != nil {
			t.Fatal(err)
		}
		refusedFiles(t, d, path, token)
		if status, answer, err := d.upload(path+"/files?lang=ru", token, fileBody, photo.Bytes()); err != nil || status != http.StatusCreated || !strings.Contains(answer, `"kind":"jpeg"`) {
			t.Fatalf("a photo: %d %s %v", status, answer, err)
		}
		if d.json(http.MethodGet, path, token, nil, &appeal); len(appeal.Files) != 1 {
			t.Fatalf("the appeal lists %+v", appeal)
		}
		response, body := d.ask(http.MethodGet, path+"/files/"+appeal.Files[0].ID, "Authorization", "Bearer "+token)
		if response.StatusCode != http.StatusOK || body != photo.String() || response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Cache-Control") != "no-store" ||
			response.Header.Get("Content-Disposition") != `attachment; filename="`+appeal.Files[0].ID+`.jpeg"` {
			t.Errorf("the photo again: %d %v, %d bytes", response.StatusCode, response.Header, len(body))
		}
		var given []byte
		ask := map[string]string{"reason": "case 14-2/77", "number": appeal.Number, "file": appeal.Files[0].ID}
		if status := d.json(http.MethodPost, "/console/v1/operations/appeal-file", d.console("clerk-bishkek"), ask, &given); status != http.StatusOK || !bytes.Equal(given, photo.Bytes()) {
			t.Errorf("an officer: %d, %d bytes", status, len(given))
		}
		var seen struct {
			Usages []struct{ ActionCode, ReceiverCode string }
		}
		d.json(http.MethodGet, "/v1/own-data/usages", token, nil, &seen)
		if !slices.Contains(seen.Usages, struct{ ActionCode, ReceiverCode string }{"fine.appeal_file_read", "staff"}) {
			t.Errorf("the person cannot read that an officer looked: %+v", seen)
		}
		killedAtTheLastPlace(t, d, path, token)
	})
}

// refusedFiles sends what an appeal does not take.
func refusedFiles(t *testing.T, d *door, path, token string) {
	t.Helper()
	large := append(aFile(0), make([]byte, 4<<20)...)
	for name, c := range map[string]struct {
		path, kind, locale string
		content            []byte
		status             int
		says               string
	}{
		"a script":             {path + "/files", fileBody, "ky", []byte("<script>"), 400, "JPEG, PNG же PDF"},
		"a script, in Russian": {path + "/files", fileBody, "ru", []byte("<script>"), 400, "Нужен файл JPEG"},
		"nothing":              {path + "/files", fileBody, "ru", nil, 400, "problem."},
		"JSON":                 {path + "/files", "application/json", "ru", []byte("{}"), 415, "problem."},
		"a little too large":   {path + "/files", fileBody, "ru", large[:2<<20+1], 400, "2048"},
		"too large":            {path + "/files", fileBody, "ru", large, 413, ""},
		"elsewhere":            {path + "/withdrawal", fileBody, "ru", large[:9<<10], 413, ""},
		"an appeal":            {"/v1/fines/appeals", "application/json", "ru", large[:9<<10], 413, ""},
	} {
		status, answer, err := d.upload(c.path, token, c.kind, c.content, "Accept-Language", c.locale)
		if err != nil && c.status == http.StatusRequestEntityTooLarge { // the connection is closed while it is sent
			continue
		}
		if err != nil || status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s %v", name, status, answer, err)
		}
	}
}

// killedAtTheLastPlace has the server die while two files are sent for one free place; sent again,
// one has it.
func killedAtTheLastPlace(t *testing.T, d *door, path, token string) {
	t.Helper()
	for n := range 3 {
		if status, answer, err := d.upload(path+"/files", token, fileBody, aFile(n)); err != nil || status != http.StatusCreated {
			t.Fatalf("file %d: %d %s %v", n, status, answer, err)
		}
	}
	var group sync.WaitGroup
	for n := range 2 {
		group.Go(func() {
			_, _, _ = d.upload(path+"/files", token, fileBody, aFile(10+n)) // the answer may be lost with the server
		})
	}
	d.kill()
	group.Wait()
	statuses := map[int]int{}
	for n := range 2 {
		status, answer, err := d.upload(path+"/files", token, fileBody, aFile(10+n))
		if statuses[status]++; err != nil {
			t.Fatalf("again: %d %s %v", status, answer, err)
		}
	}
	var appeal struct{ Files []struct{ ID, Kind string } }
	d.json(http.MethodGet, path, token, nil, &appeal)
	if statuses[http.StatusCreated] != 1 || statuses[http.StatusConflict] != 1 || len(appeal.Files) != 5 {
		t.Errorf("%v, %d files", statuses, len(appeal.Files))
	}
	d.fsck()
}
