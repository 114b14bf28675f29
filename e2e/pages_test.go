package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The widths that pages are held to: two phones, a tablet, a desktop.
var pageWidths = []int64{320, 360, 768, 1280}

type steps = []chromedp.Action[chromedp.Void]

// pageStates are the pages of the sandbox in the states that look different. number
// and code are a certificate's, photo is the path of a link to one; the address lacks the language.
func pageStates(number, code, photo string) []pageState {
	return []pageState{
		{"first", "/?", nil},
		{"missing", "/nothing-here?", nil},
		{"phone", "/phone?", steps{chromedp.Focus(chromedp.CSS("#entry")), chromedp.KeyEvent(kb.Enter), says("count", `^[1-9]\d* / 80$`)}},
		{"phone-sms", "/phone?#sms", steps{says("thread", number)}},
		{"phone-wallet", "/phone?#wallet", steps{chromedp.SendKeys(chromedp.CSS("#code"), "0000000000"+kb.Enter), says("out-result", `\d`)}},
		{"verify", "/verify?", nil},
		{"verify-empty", "/verify?number=", steps{says("problem", `\S`)}},
		{"verify-valid", "/verify?number=" + number, steps{says("verdict", "✓")}},
		{"verify-code", "/verify?", steps{paste(code), says("verdict", "✓")}},
		{"verify-device", "/verify?", steps{run(fmt.Sprintf(`document.getElementById("qr").value = %q; document.getElementById("qr").form.requestSubmit()`, code)), found("genuine", "Асанова")}},
		{"verify-nothing", "/verify?", steps{run(`window.dispatchEvent(new DragEvent("drop", {dataTransfer: (() => { const t = new DataTransfer(); t.items.add(new File(["x"], "x.txt")); return t; })()}))`), says("device-problem", `\S`)}},
		{"photo", photo + "?", nil},
		{"photo-missing", "/e/nothing?", nil},
		// One template draws all operations: a part of them shows every colour and
		// width, and costs a tenth of the time.
		{"docs", "/docs?", steps{run(openAll), run(`for (const a of document.querySelectorAll("article:nth-of-type(n+3)")) a.remove()`)}},
		{"docs-whole", "/docs?", steps{run(openAll)}},
	}
}

const openAll = `for (const d of document.querySelectorAll("details")) d.open = true`

type pageState struct {
	name, address string
	then          steps
}

// in is the state's address in a language.
func (p pageState) in(server, language string) string {
	path, hash, _ := strings.Cut(p.address, "#")
	return server + path + "&lang=" + language + "#" + hash
}

// paste asks for what a QR code says.
func paste(code string) chromedp.Action[chromedp.Void] {
	return run(fmt.Sprintf(`(() => { const field = document.getElementById("qr"); field.value = %q; setTimeout(() => field.form.submit()); })()`, code))
}

func run(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script)
}

// media sets what the reader's system asks for.
func media(scheme, forced string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "forced-colors", Value: forced}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// axeRules adds to axe's rules the one of WCAG 2.2 that it leaves off.
const axeRules = `axe.run(document, {resultTypes: ["violations"], preload: false, rules: {"target-size": {enabled: true}}}).then((r) =>
	r.violations.map((v) => v.id + " (" + v.impact + "): " + v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + n.any.concat(n.all, n.none).map((c) => c.message).join("; ")).join(" | ")))`

// judge gives what axe, and an eye for sideways scrolling, finds wrong in the page
// as it stands.
func judge(ctx context.Context) ([]string, error) {
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axeRules, chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("run axe: %w", err)
	}
	wider, err := chromedp.Run(ctx, chromedp.Evaluate[string](tooWide))
	if err != nil {
		return nil, err
	}
	if wider != "" {
		found = append(found, "wider than the screen: "+wider)
	}
	run, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](runTogether))
	return append(found, run...), err
}

// runTogether names cards that leave no ground between them, and line breaks that a
// style takes away, whose words then stand as one.
const runTogether = `(() => {
	const out = [...document.querySelectorAll(".card + .card")].filter((e) => {
		const a = e.previousElementSibling.getBoundingClientRect(), b = e.getBoundingClientRect();
		return b.height > 0 && a.height > 0 && b.top - a.bottom < 8 && b.left - a.right < 8;
	}).map((e) => "touches the card before: " + e.tagName + "#" + e.id + "." + e.className);
	return out.concat([...document.querySelectorAll("br")].filter((e) => getComputedStyle(e).display === "none")
		.map((e) => "a line break is taken away: " + e.parentElement.textContent.trim().slice(0, 60)));
})()`

// tooWide names what reaches over the screen's right edge, or "".
const tooWide = `(() => {
	const room = window.innerWidth;
	if (document.documentElement.scrollWidth <= room) return "";
	const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > room + 1);
	return document.documentElement.scrollWidth + " px of " + room + ": " + out.slice(-3).map((e) => e.tagName + "#" + e.id + "." + e.className).join(", ");
})()`

// open brings the browser to a state of a page, with axe in it.
func (p pageState) open(ctx context.Context, server, language, axe string) error {
	all := steps{chromedp.Navigate("about:blank"), chromedp.Navigate(p.in(server, language))}
	all = append(append(all, p.then...), run(axe+";undefined"))
	return chromedp.Do(ctx, all...)
}

func axeSource(t *testing.T) string {
	t.Helper()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	source, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// TestPagesAreAccessible: axe finds nothing on any page, in Kyrgyz and Russian,
// light and dark, from the smallest phone to a desktop; nothing scrolls sideways,
// also with text of twice the size; the keyboard reaches everything. One browser
// and one server serve the whole matrix.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	axe, d := axeSource(t), embedded(t)
	number, code := issueOverREST(d)
	photo := linkToPhoto(d)
	ctx, wrong := browser(t, d.url)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 800), media("light", "none")); err != nil {
		t.Fatal(err)
	}
	for _, p := range pageStates(number, code, photo) {
		for _, language := range []string{"ky", "ru"} {
			name := p.name + "-" + language
			if err := p.open(ctx, d.url, language, axe); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.HasSuffix(p.name, "missing") { // which the browser remarks on, rightly
				for _, w := range wrong() {
					if !strings.Contains(w, "404") {
						t.Error(w)
					}
				}
			}
			if p.name == "docs-whole" {
				lookAt(ctx, t, name, 320, "light")
				continue
			}
			for _, width := range pageWidths {
				lookAt(ctx, t, name, width, "light")
				lookAt(ctx, t, name, width, "dark")
			}
			enlarged(ctx, t, name)
		}
		if p.name != "docs-whole" { // hundreds of stops, of the kinds that "docs" has
			for _, f := range reachable(ctx, t) {
				t.Errorf("%s: %s", p.name, f)
			}
		}
	}
	for _, w := range wrong() {
		t.Error(w)
	}
	if err := pageStates(number, code, photo)[0].open(ctx, d.url, "ky", axe); err != nil {
		t.Fatal(err)
	}
	planted(ctx, t)
}

// lookAt judges the open page in one width and scheme.
func lookAt(ctx context.Context, t *testing.T, name string, width int64, scheme string) {
	t.Helper()
	at := fmt.Sprintf("%s-%s-%d", name, scheme, width)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), media(scheme, "none"), shot(at)); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	found, err := judge(ctx)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	for _, f := range found {
		t.Errorf("%s: %s", at, f)
	}
}

// cut names text that its own box does not show whole. Fields and regions that
// scroll by themselves are meant to.
const cut = `[...document.querySelectorAll("button, a, summary, label, h1, h2, h3, p, dd, dt, li, td")].filter((e) =>
	e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && getComputedStyle(e).overflowX !== "auto")
	.map((e) => e.tagName + "#" + e.id + "." + e.className + " " + e.textContent.trim().slice(0, 40))`

// enlarged looks at the smallest screens with text of twice the size, and at
// colours that the reader forces.
func enlarged(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	for _, width := range []int64{320, 360} {
		at := fmt.Sprintf("%s-large-%d", name, width)
		err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), media("light", "none"),
			run(`document.documentElement.style.fontSize = "200%"`), shot(at))
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		wider, err := chromedp.Run(ctx, chromedp.Evaluate[string](tooWide))
		if err != nil || wider != "" {
			t.Errorf("%s: %s %v", at, wider, err)
		}
		hidden, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](cut))
		if err != nil || len(hidden) > 0 {
			t.Errorf("%s: cut off: %q %v", at, hidden, err)
		}
	}
	err := chromedp.Do(ctx, run(`document.documentElement.style.fontSize = ""`), media("dark", "active"), shot(name+"-forced"), media("light", "none"))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// stops marks everything that the keyboard has to reach, and tells how many there
// are. What is in no tab order on purpose (tabs that arrows reach) does not count.
const stops = `(() => {
	document.activeElement?.blur();
	window.scrollTo(0, 0);
	const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
		.filter((e) => !e.disabled && e.type !== "hidden" && e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true}));
	window.unreached = new Set(all);
	return all.length;
})()`

// stopped takes what has the focus off the list, and says what is wrong with it:
// out of sight, or without a ring.
const stopped = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return "";
	window.unreached.delete(e);
	const r = e.getBoundingClientRect();
	const name = e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 30);
	if (r.bottom < 1 || r.top > innerHeight || r.right < 1 || r.left > innerWidth) return name + " is out of sight";
	return getComputedStyle(e).outlineStyle === "none" ? name + " has no focus ring" : "";
})()`

// reachable tabs through the open page, from its top, and gives what the keyboard
// does not reach or show.
func reachable(ctx context.Context, t *testing.T) []string {
	t.Helper()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](stops))
	if err != nil || n < 5 {
		t.Fatalf("%d places to reach, %v", n, err)
	}
	var faults []string
	for range n + 2 {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		fault, err := chromedp.Run(ctx, chromedp.Evaluate[string](stopped))
		if err != nil {
			t.Fatal(err)
		}
		if fault != "" {
			faults = append(faults, fault)
		}
	}
	left, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...window.unreached].map((e) => "not reached: " + e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 30))`))
	if err != nil {
		t.Fatal(err)
	}
	return append(faults, left...)
}

// planted spoils the open page in several ways; each must be found. Otherwise the
// matrix says nothing.
func planted(ctx context.Context, t *testing.T) {
	t.Helper()
	err := chromedp.Do(ctx, run(`(() => {
		const spoilt = document.createElement("section");
		spoilt.innerHTML = '<input id="planted"><p id="pale">pale</p><a href="/" id="tiny">.</a><a href="/docs" id="tiny2">.</a><div id="wide">wide</div><button id="trap">trap</button><button id="ringless">ringless</button>';
		document.querySelector("main").prepend(spoilt);
		document.getElementById("pale").style.cssText = "color: #bbb; background: #fff";
		for (const id of ["tiny", "tiny2"]) document.getElementById(id).style.cssText = "display: inline-block; width: 5px; height: 5px; overflow: hidden";
		document.getElementById("wide").style.width = "3000px";
		document.getElementById("ringless").style.outline = "none";
		document.getElementById("trap").addEventListener("focus", (e) => document.getElementById("ringless").focus());
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	found, err := judge(ctx)
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, reachable(ctx, t)...)
	for _, want := range []string{"label (", "color-contrast (", "target-size (", "wider than the screen", "not reached: BUTTON#trap", "BUTTON#ringless"} {
		if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, want) }) {
			all, _ := json.Marshal(found)
			t.Errorf("a planted fault of %q is not found: %s", want, all)
		}
	}
}
