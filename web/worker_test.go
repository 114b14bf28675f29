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

// worldOfWorker stands in for a browser: of the trust bundles its cache has the "kept" one, or one
// that is ahead of its time, or none, and room for another or not; the network gives what the case says. It prints for each case which
// is the answer, which is kept after it, and whether the worker was held until the network answered.
const worldOfWorker = `
const handlers = {};
let network, held, cached, room;
globalThis.self = { addEventListener: (name, does) => { handlers[name] = does; }, location: { origin: "https://eshik.example" }, skipWaiting() {} };
globalThis.caches = { open: async () => ({
  addAll: async () => {},
  match: async () => cached?.clone(),
  put: async (_, response) => { if (!room) throw new Error("no room"); cached = response; },
}) };
globalThis.fetch = () => network();
globalThis.Request = function (url) { return { url, method: "GET" }; };
const breaks = () => new ReadableStream({ pull(to) { to.error(new Error("broken off")); } });

const encoded = (data) => Buffer.from(data).toString("base64url");
async function bundle(iat) {
  const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const pair = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const signed = encoded('{"alg":"ES256","typ":"eshik-trust+jwt","kid":"1"}') + "." + encoded(JSON.stringify({ iat, keys: { keys: [{ kid: "1", kty, crv, x, y, nbf: 1 }] } }));
  return signed + "." + encoded(new Uint8Array(await crypto.subtle.sign(ecdsa, pair.privateKey, Buffer.from(signed))));
}

async function main() {
  const names = new Map();
  for (const [name, iat] of [["older", 1], ["kept", 2], ["same", 2], ["newer", 3], ["tomorrow", Date.now() / 1000 + 86400], ["nextYear", Date.now() / 1000 + 400 * 86400]]) names.set(await bundle(iat), name);
  const [older, before, same, newer, tomorrow, nextYear] = names.keys();
  const told = (text) => names.get(text) || text.slice(0, 5);
  const cases = {
    newer: async () => new Response(newer), same: async () => new Response(same), older: async () => new Response(older), tomorrow: async () => new Response(tomorrow), nextYear: async () => new Response(nextYear),
    page: async () => new Response("<html>pay here"), cut: async () => new Response(newer.slice(0, -9)),
    forged: async () => new Response(newer.split(".").with(2, older.split(".")[2]).join(".")),
    broken: async () => new Response(breaks()), failing: async () => new Response("sorry", { status: 503 }), none: async () => { throw new Error("no network"); },
  };
  for (const [name, gives] of Object.entries(cases)) {
    for (const [first, space] of [[before, true], [before, false], [null, true], [nextYear, true]]) {
      let answer;
      [network, room, cached, held] = [gives, space, first && new Response(first), null];
      handlers.fetch({ request: { method: "GET", url: self.location.origin + kept.trust }, respondWith: (a) => { answer = a; }, waitUntil: (h) => { held = h; } });
      const given = await answer.then((response) => response.text()).catch((e) => e.message);
      await held;
      console.log(name, first === nextYear ? "ahead" : first ? (space ? "kept" : "full") : "first", "answers", told(given), "keeps", cached ? told(await cached.text()) : "nothing", held instanceof Promise);
    }
    let installed;
    [network, room, cached] = [gives, true, null];
    handlers.install({ waitUntil: (h) => { installed = h; } });
    console.log(name, "installs", await installed.then(() => true, () => false));
  }
  process.exit(0); // without its patience
}
setTimeout(main, 0); // when the worker stands
`

// TestWorkerAnswers: the newest trust bundle is kept and is the answer, whatever the network gives in
// its place: one from before a revocation, one of a year to come, a page that asks for a fee, half of it, nothing. What cannot
// be kept is the answer all the same. The worker lives until the network has answered, and is none
// before it has a bundle.
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
	want, readErr := os.ReadFile("testdata/worker.txt")
	if err != nil || readErr != nil || string(said) != string(want) {
		t.Errorf("%v, %v:\n%s", err, readErr, said)
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
