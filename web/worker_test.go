package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"os/exec"
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

// worldOfWorker stands in for a browser: "kept" is in its cache, which has no room for more, and the
// network gives what the case says. It prints the answer, and whether the worker is held until the
// network has answered.
const worldOfWorker = `
const handlers = {};
let network, held;
globalThis.self = { addEventListener: (name, does) => { handlers[name] = does; }, location: { origin: "https://eshik.example" } };
globalThis.caches = { open: async () => ({ match: async () => new Response("kept"), put: async () => { throw new Error("no room"); } }) };
globalThis.fetch = () => network();
const breaks = () => new ReadableStream({ pull(to) { to.error(new Error("broken off")); } });
const cases = {
  new: async () => new Response("new"),
  broken: async () => new Response(breaks()),
  failing: async () => new Response("sorry", { status: 503 }),
  none: async () => { throw new Error("no network"); },
};
setTimeout(async () => { // when the worker stands
  for (const [name, gives] of Object.entries(cases)) {
    let answer;
    network = gives;
    held = null;
    handlers.fetch({ request: { method: "GET", url: self.location.origin + kept.trust }, respondWith: (a) => { answer = a; }, waitUntil: (h) => { held = h; } });
    console.log(name, await (await answer).text(), held instanceof Promise);
    await held;
  }
  process.exit(0); // without its patience
});
`

// TestWorkerAnswers: what the network gives is the answer although it cannot be kept, what it does
// not give whole is that which is kept, and the worker lives until the network has answered.
func TestWorkerAnswers(t *testing.T) {
	t.Parallel()
	handler, err := testPages(t).Worker(func(locales.Locale) VerifyView { return VerifyView{} })
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", WorkerPath, nil))
	command := exec.CommandContext(t.Context(), "node", "-") // #nosec G204 -- our own program
	command.Stdin, command.Stderr = strings.NewReader(worldOfWorker+answer.Body.String()), os.Stderr
	said, err := command.Output()
	if want := "new new true\nbroken kept true\nfailing kept true\nnone kept true\n"; err != nil || string(said) != want {
		t.Errorf("%v: %s", err, said)
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
