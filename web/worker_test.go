package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// TestWorker: it keeps every file that the page names, and is another one where the page is.
func TestWorker(t *testing.T) {
	t.Parallel()
	pages := testPages(t)
	made := func(known any) string {
		handler, err := pages.Worker(func(locales.Locale) VerifyView { return VerifyView{Known: known} })
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", WorkerPath, nil))
		if kind := answer.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/javascript") || answer.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%v", answer.Header())
		}
		return answer.Body.String()
	}
	worker, page := made("one"), renderVerify(t, "kept", locales.KY, VerifyView{Known: "one"})
	head, _, _ := strings.Cut(worker, "\n")
	for _, file := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(head, `"`+file[1]+`"`) {
			t.Errorf("%s is not kept: %s", file[1], head)
		}
	}
	for _, kept := range []string{`"/verify"`, `"/verify?lang=ky"`, `"/verify?lang=ru"`, `"/verify?lang=en"`, `"` + TrustPath + `"`} {
		if !strings.Contains(head, kept) {
			t.Errorf("%s is not kept: %s", kept, head)
		}
	}
	if worker != made("one") || worker == made("two") {
		t.Error("the version is not that of what is kept")
	}
}

// TestReaderIsTheirs: jsQR is the file that npm has, of the version and with the digest that
// decision 51 names, and its licence stands beside it.
func TestReaderIsTheirs(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	for ours, theirs := range map[string]string{"jsqr.js": "dist/jsQR.js", "jsqr.LICENSE.txt": "LICENSE"} {
		kept, err := assets.ReadFile("static/" + ours)
		if err != nil {
			t.Fatal(err)
		}
		published, err := os.ReadFile(filepath.Join(modules, "jsqr", theirs)) // #nosec G304 -- a test's own files
		if err != nil || string(kept) != string(published) {
			t.Errorf("%s is not %s of jsqr: %v", ours, theirs, err)
		}
	}
	kept, err := assets.ReadFile("static/jsqr.js")
	sum := sha256.Sum256(kept)
	if got := hex.EncodeToString(sum[:]); err != nil || got != "bc40c8a15196236b2314db0856f72ca0b49980cd5413b8c852a7349f5fee0859" {
		t.Errorf("jsqr.js has the digest %s, %v", got, err)
	}
}
